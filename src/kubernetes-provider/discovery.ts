import type { KubernetesApi } from "../kubernetes/api.ts";
import { apiVersionOf, type GroupVersionKind, isBuiltIn } from "./tokens.ts";

/** Where objects of a kind live in the REST API. */
export interface ResourceKind {
  readonly gvk: GroupVersionKind;
  /** Name in paths, for example `ingresses`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Kinds of Kubernetes itself that have no namespace: known without asking the cluster. */
const clusterScoped: ReadonlySet<string> = new Set([
  ...["Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "IngressClass"],
  ...["StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "PriorityClass", "RuntimeClass"],
  ...["CustomResourceDefinition", "APIService", "MutatingWebhookConfiguration", "FlowSchema"],
  ...["ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
  ...["CertificateSigningRequest", "PriorityLevelConfiguration"],
]);

/** The kinds that the cluster serves, read when first needed and again when an unknown kind comes. */
export class Discovery {
  readonly #api: KubernetesApi;
  readonly #kinds = new Map<string, Promise<ReadonlyMap<string, ResourceKind>>>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** `undefined` when the cluster doesn't serve this kind. */
  async find(gvk: GroupVersionKind, signal?: AbortSignal): Promise<ResourceKind | undefined> {
    const version = apiVersionOf(gvk);
    const cached = this.#kinds.get(version);
    if (cached !== undefined) {
      const known = (await cached).get(gvk.kind);
      if (known !== undefined) return known;
    }
    const reading = this.#read(gvk, signal);
    this.#kinds.set(version, reading);
    // A failed read must not be remembered, and a late rejection must not go unhandled.
    reading.catch(() => this.#kinds.delete(version));
    return (await reading).get(gvk.kind);
  }

  async #read(gvk: GroupVersionKind, signal?: AbortSignal): Promise<ReadonlyMap<string, ResourceKind>> {
    const version = apiVersionOf(gvk);
    const path = gvk.group === "" ? `/api/${gvk.version}` : `/apis/${version}`;
    const list = await this.#api.find<ResourceList>(path, signal === undefined ? {} : { signal });
    const kinds = new Map<string, ResourceKind>();
    for (const { name, kind, namespaced } of list?.resources ?? []) {
      // Names with a slash are subresources such as `deployments/scale`.
      if (!name.includes("/")) kinds.set(kind, { gvk: { ...gvk, kind }, plural: name, namespaced });
    }
    return kinds;
  }
}

/** Answers for kinds of Kubernetes itself without a request; `undefined` for all others. */
export function scopeOf(gvk: GroupVersionKind): "namespace" | "cluster" | undefined {
  if (!isBuiltIn(gvk)) return undefined;
  return clusterScoped.has(gvk.kind) ? "cluster" : "namespace";
}

/** Path of one object, or of the collection without a name. */
export function pathOf(kind: ResourceKind, namespace: string, name?: string): string {
  const { group, version } = kind.gvk;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = kind.namespaced ? `/namespaces/${encodeURIComponent(namespace || "default")}` : "";
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${kind.plural}${object}`;
}
