/** A kind of objects, as the API server, manifests and Pulumi name it. */
export interface ObjectKind {
  /** API group; empty for the core one. */
  readonly group: string;
  readonly version: string;
  /** As in manifests, for example `Deployment`. */
  readonly kind: string;
  /** As in paths, for example `deployments`. */
  readonly plural: string;
}

/** One object in a namespace. */
export interface ObjectRef {
  readonly kind: ObjectKind;
  readonly name: string;
}

/** `apps/v1`; `v1` in the core group. */
export function apiVersionOf({ group, version }: Pick<ObjectKind, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Where the API server keeps what a version of a group has. */
export function groupPath(kind: Pick<ObjectKind, "group" | "version">): string {
  return `/${kind.group === "" ? "api" : "apis"}/${apiVersionOf(kind)}`;
}

/** Where the API server keeps all objects of a kind, in one namespace or in all of them. */
export function collectionPath(kind: ObjectKind, namespace?: string): string {
  const base = groupPath(kind);
  return namespace === undefined
    ? `${base}/${kind.plural}`
    : `${base}/namespaces/${namespace}/${kind.plural}`;
}

/** Where the API server keeps one object. */
export function objectPath(namespace: string, { kind, name }: ObjectRef): string {
  return `${collectionPath(kind, namespace)}/${name}`;
}

/** The type under which Pulumi knows a kind; the types of Kubernetes' own kinds are the same. */
export function pulumiType(kind: ObjectKind): string {
  return `kubernetes:${group(kind)}:${kind.kind}`;
}

function group(kind: ObjectKind): string {
  return kind.group === "" ? `core/${kind.version}` : apiVersionOf(kind);
}

/** Whether an object is the one that is meant. What is read from lists has no kind: then its name says it. */
export function isObject(
  object: { readonly kind?: string | undefined; readonly metadata?: { readonly name?: string } | undefined },
  { kind, name }: ObjectRef,
): boolean {
  return object.metadata?.name === name && (object.kind === undefined || object.kind === kind.kind);
}
