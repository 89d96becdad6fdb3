import { exitCodes, UserError } from "../../core/errors.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { SourceName } from "./release-spec.ts";

/** The versions of what was asked for, by name; what may not be read is left out. */
export type Versions = Readonly<Record<string, string>>;

/** The API server sends nothing but metadata: a Secret's contents never reach this process. */
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/**
 * Reads the versions of Secrets and ConfigMaps, never their contents.
 * @throws UserError `secret-missing` (exit code 2) where one that pods need is not there
 */
export async function observeVersions(
  api: KubernetesApi,
  namespace: string,
  names: readonly SourceName[],
  required: readonly SourceName[],
  signal: AbortSignal,
): Promise<Versions> {
  const found = await Promise.all(
    names.map(async (name) => {
      const [kind, object = ""] = name.split("/");
      const path = `/api/v1/namespaces/${namespace}/${kind === "secret" ? "secrets" : "configmaps"}/${object}`;
      try {
        const read = await api.find<KubernetesObject>(path, { headers: { accept: metadataOnly }, signal });
        return [name, read?.metadata?.resourceVersion ?? "missing"] as const;
      } catch (error) {
        if (error instanceof KubernetesApiError && error.status === 403) return [name, undefined] as const;
        throw error;
      }
    }),
  );
  const versions = Object.fromEntries(found);
  const missing = required.filter((name) => versions[name] === "missing");
  if (missing.length > 0) {
    const [first = ""] = missing;
    throw new UserError({
      code: "secret-missing",
      message: `The release refers to ${missing.map(inWords).join(", ")}, which ${missing.length === 1 ? "is" : "are"} not in the namespace ${namespace}: no pod could start.`,
      hint: `Create it first (\`kubectl --namespace ${namespace} create ${first.startsWith("secret/") ? "secret generic" : "configmap"} ${first.split("/")[1]} …\`), or correct the name.`,
      exitCode: exitCodes.usage,
      details: { missing },
    });
  }
  return Object.fromEntries(
    Object.entries(versions).flatMap(([name, version]) =>
      version === undefined || version === "missing" ? [] : [[name, version]],
    ),
  );
}

/** `the Secret token`. */
export function inWords(name: SourceName): string {
  const [kind, object] = name.split("/");
  return `the ${kind === "secret" ? "Secret" : "ConfigMap"} ${object}`;
}
