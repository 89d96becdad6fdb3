import { clusterChanged } from "./kubeconfig.ts";
import { deepEqual, text } from "./objects.ts";
import { unsupportedSettings } from "./settings.ts";
import { type PropertyMap, reveal, Unknown } from "./struct.ts";

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

/** What is wrong with a provider's arguments. Unknown arguments are let through, as the official provider does. */
export function checkConfig(urn: string, news: PropertyMap): readonly CheckFailure[] {
  const plain = reveal(news);
  const isSet = (name: string) => {
    const value = plain[name];
    return value !== undefined && value !== null && value !== "" && value !== false && value !== "false";
  };
  const failures: CheckFailure[] = unsupportedSettings(isSet).map((property) => ({
    property,
    reason: `${property} needs the official Kubernetes provider (pulumi-resource-kubernetes); the embedded one can't do it.`,
  }));
  if (text(plain, "strictMode") === "true" || plain.strictMode === true) {
    if (/::default(_\d+)+$/.test(urn) || urn.endsWith("::default")) {
      failures.push({ property: "", reason: "strict mode prohibits default provider" });
    }
    for (const property of ["kubeconfig", "context"]) {
      if (!isSet(property)) {
        failures.push({ property, reason: `strict mode requires Provider "${property}" argument` });
      }
    }
  }
  return failures;
}

export interface ConfigDiff {
  readonly changed: readonly string[];
  /** Arguments whose change means another cluster: every object has to be created there anew. */
  readonly replaces: readonly string[];
}

/** What a change of the provider's arguments means for its objects. */
export function diffConfig(oldArgs: PropertyMap, newArgs: PropertyMap): ConfigDiff {
  const olds = reveal(oldArgs);
  const news = reveal(newArgs);
  const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !deepEqual(olds[key] ?? null, news[key] ?? null),
  );
  if (changed.length === 0) return { changed, replaces: [] };
  const identifier = news.clusterIdentifier;
  const identified = identifier !== undefined && identifier !== null;
  const replaces =
    identified && changed.includes("clusterIdentifier") && olds.clusterIdentifier
      ? ["clusterIdentifier"]
      : [];
  // The same identifier says that it is the same cluster, whatever else has changed.
  if (identified && !changed.includes("clusterIdentifier")) return { changed, replaces: [] };

  const selectors = ["kubeconfig", "context", "cluster"];
  const unknown = selectors.find((key) => news[key] instanceof Unknown);
  if (unknown !== undefined) return { changed: [unknown], replaces: [...replaces, unknown] };
  if (clusterChanged(olds, news)) replaces.push(...selectors.filter((key) => changed.includes(key)));
  return { changed, replaces };
}
