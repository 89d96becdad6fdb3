import type { KubernetesApi, KubernetesObject } from "../../../../src/support.ts";

/** Where the kinds of objects that a local cluster gets are found. */
const collections: Readonly<Record<string, { readonly plural: string; readonly namespaced?: true }>> = {
  APIService: { plural: "apiservices" },
  ClusterRole: { plural: "clusterroles" },
  ClusterRoleBinding: { plural: "clusterrolebindings" },
  EndpointSlice: { plural: "endpointslices", namespaced: true },
  IngressClass: { plural: "ingressclasses" },
  RoleBinding: { plural: "rolebindings", namespaced: true },
  Service: { plural: "services", namespaced: true },
  StorageClass: { plural: "storageclasses" },
};

/** Path of an object in the API. */
export function objectPath(object: KubernetesObject): string {
  const { apiVersion = "", kind = "", metadata = {} } = object;
  const collection = collections[kind];
  if (collection === undefined) throw new Error(`The kind ${kind} is not in the list of collections.`);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = collection.namespaced ? `/namespaces/${metadata.namespace}` : "";
  return `${root}${place}/${collection.plural}/${encodeURIComponent(metadata.name ?? "")}`;
}

/** Makes the objects as they are here, whatever they were; all at the same time. */
export async function applyObjects(
  api: KubernetesApi,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    objects.map((object) =>
      api.json({
        method: "PATCH",
        path: objectPath(object),
        query: { fieldManager: "modelswitch-cluster", force: true },
        body: object,
        signal,
      }),
    ),
  );
}

/** A cluster role of this name for the user of the same name. */
export function clusterRole(name: string, rules: readonly Rule[]): KubernetesObject[] {
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules,
    },
    bindClusterRole(name, name, name),
  ];
}

/** Gives the user a cluster role. */
export function bindClusterRole(name: string, role: string, user: string): KubernetesObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  };
}

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
