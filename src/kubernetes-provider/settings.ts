/** Options of the provider, from its arguments and the official provider's environment variables. */
export interface Settings {
  /** Path or contents of a kubeconfig; undefined for the ambient one. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  readonly serverSideApply: boolean;
  /** Take over fields that others own instead of reporting a conflict. */
  readonly patchForce: boolean;
  readonly upsertExisting: boolean;
  readonly configMapMutable: boolean;
  readonly secretMutable: boolean;
  /** Objects of a cluster that can't be reached are dropped from the state. */
  readonly deleteUnreachable: boolean;
  readonly skipUpdateUnreachable: boolean;
  readonly suppressWarnings: boolean;
  /** Wait for objects of every kind by the conventions for their status (`PULUMI_K8S_AWAIT_ALL`). */
  readonly awaitAll: boolean;
}

const prefix = "kubernetes:config:";

/** Options that belong to what only the official provider does. */
const unsupportedOptions = ["renderYamlToDirectory", "alwaysRender"] as const;

export function parseSettings(
  variables: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const value = (name: string): string | undefined => variables.get(prefix + name) || undefined;
  const flag = (name: string, environmentName: string, fallback: boolean): boolean => {
    const set = variables.get(prefix + name) ?? environment[`PULUMI_K8S_${environmentName}`];
    return set === undefined ? fallback : set === "true";
  };
  return {
    kubeconfig: value("kubeconfig"),
    context: value("context"),
    cluster: value("cluster"),
    namespace: value("namespace"),
    serverSideApply: flag("enableServerSideApply", "ENABLE_SERVER_SIDE_APPLY", true),
    patchForce: flag("enablePatchForce", "ENABLE_PATCH_FORCE", false),
    upsertExisting: flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS", false),
    configMapMutable: flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE", false),
    secretMutable: flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE", false),
    deleteUnreachable: flag("deleteUnreachable", "DELETE_UNREACHABLE", false),
    skipUpdateUnreachable: flag("skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE", false),
    suppressWarnings: flag("suppressDeprecationWarnings", "SUPPRESS_DEPRECATION_WARNINGS", false),
    awaitAll: environment.PULUMI_K8S_AWAIT_ALL === "true",
  };
}

/** Options that are set but need the official provider. */
export function unsupportedSettings(isSet: (name: string) => boolean): readonly string[] {
  return unsupportedOptions.filter(isSet);
}
