/** Group, version and kind of a Kubernetes object. The core group is the empty string. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export type Token =
  | { readonly supported: true; readonly gvk: GroupVersionKind }
  | { readonly supported: false; readonly what: string };

export const apiVersionOf = (gvk: Pick<GroupVersionKind, "group" | "version">): string =>
  gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`;

export function gvkOf(apiVersion: string, kind: string): GroupVersionKind {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return {
    group: group === "core" ? "" : group,
    version: slash < 0 ? apiVersion : apiVersion.slice(slash + 1),
    kind,
  };
}

/** Type of a resource's URN: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
export function typeOfUrn(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}

/** Name of a resource in the program. */
export function nameOfUrn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** Groups that Kubernetes itself serves. Groups that end in `.k8s.io` but come from CRDs are not among them. */
const builtInGroups: ReadonlySet<string> = new Set([
  "",
  "apps",
  "autoscaling",
  "batch",
  "extensions",
  "policy",
  ...[
    "admissionregistration",
    "apiextensions",
    "apiregistration",
    "authentication",
    "authorization",
    "certificates",
    "coordination",
    "discovery",
    "events",
    "flowcontrol.apiserver",
    "internal.apiserver",
    "networking",
    "node",
    "rbac.authorization",
    "resource",
    "scheduling",
    "storage",
    "storagemigration",
  ].map((group) => `${group}.k8s.io`),
]);

export function isBuiltIn(gvk: Pick<GroupVersionKind, "group">): boolean {
  return builtInGroups.has(gvk.group);
}

const componentModules: ReadonlySet<string> = new Set(["helm.sh", "yaml", "kustomize"]);

/** What a type token such as `kubernetes:apps/v1:Deployment` stands for, and whether this provider can manage it. */
export function parseToken(token: string): Token {
  const [pkg, module, kind, ...rest] = token.split(":");
  if (pkg !== "kubernetes" || module === undefined || kind === undefined || kind === "" || rest.length > 0) {
    return { supported: false, what: `the type ${token}` };
  }
  const [group = "", version] = module.split("/");
  if (version === undefined || componentModules.has(group)) {
    return { supported: false, what: `${group} resources (${token})` };
  }
  const gvk = gvkOf(module, kind);
  if (isBuiltIn(gvk) && kind.endsWith("Patch")) {
    return { supported: false, what: `Patch resources (${token})` };
  }
  if (isBuiltIn(gvk) && kind.endsWith("List")) {
    return { supported: false, what: `List resources (${token}); declare the listed objects themselves` };
  }
  return { supported: true, gvk };
}
