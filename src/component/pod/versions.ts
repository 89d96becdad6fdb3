import * as pulumi from "@pulumi/pulumi";

/** Versions may be outputs, for example a Secret's `metadata.resourceVersion`. */
export type VersionInputs = pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;

/** `configmap/limits=812 secret/token=47`, in an order of its own; nothing where there are none. */
export function versionsText(versions: VersionInputs | undefined): pulumi.Input<string> | undefined {
  if (versions === undefined) return undefined;
  // What is known now is no output: a preview shows it.
  return isKnown(versions) ? textOf(versions) || undefined : pulumi.output(versions).apply(textOf);
}

function textOf(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, version]) => `${name}=${version}`)
    .join(" ");
}

function isKnown(versions: VersionInputs): versions is Readonly<Record<string, string>> {
  return (
    !pulumi.Output.isInstance(versions) &&
    !(versions instanceof Promise) &&
    Object.values(versions).every((version) => typeof version === "string")
  );
}
