import type { IngressLike } from "../core/ingress-claims.ts";
import { type KubernetesApi, KubernetesApiError } from "./api.ts";
import type { List } from "./lists.ts";

/** Ingresses as far as this account may list them. */
export interface SeenIngresses {
  readonly objects: readonly IngressLike[];
  readonly seen: "cluster" | "namespace" | "nothing";
}

/** Lists the Ingresses of the cluster; where that is not allowed, those of the namespace; where that is not, none. */
export async function seeIngresses(
  api: KubernetesApi,
  namespace: string,
  signal?: AbortSignal,
): Promise<SeenIngresses> {
  const group = "/apis/networking.k8s.io/v1";
  const everywhere = await listed(api, `${group}/ingresses`, signal);
  if (everywhere !== undefined) return { objects: everywhere, seen: "cluster" };
  const here = await listed(api, `${group}/namespaces/${namespace}/ingresses`, signal);
  return here === undefined ? { objects: [], seen: "nothing" } : { objects: here, seen: "namespace" };
}

async function listed(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly IngressLike[] | undefined> {
  try {
    const list = await api.find<List<IngressLike>>(path, signal === undefined ? {} : { signal });
    return list?.items ?? [];
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}
