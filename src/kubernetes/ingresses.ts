import { collectionPath, type ObjectKind } from "../core/object-kind.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "./api.ts";
import type { List } from "./lists.ts";

/** Ingresses as far as this account may list them. */
export interface SeenIngresses {
  readonly objects: readonly KubernetesObject[];
  readonly seen: "cluster" | "namespace" | "nothing";
}

/** Lists the objects of a kind that take hosts, for example Ingresses, in the cluster; where that is not allowed, those of the namespace; where that is not, none. */
export async function seeIngresses(
  api: KubernetesApi,
  kind: ObjectKind,
  namespace: string,
  signal?: AbortSignal,
): Promise<SeenIngresses> {
  const everywhere = await listed(api, collectionPath(kind), signal);
  if (everywhere !== undefined) return { objects: everywhere, seen: "cluster" };
  const here = await listed(api, collectionPath(kind, namespace), signal);
  return here === undefined ? { objects: [], seen: "nothing" } : { objects: here, seen: "namespace" };
}

async function listed(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly KubernetesObject[] | undefined> {
  try {
    const list = await api.find<List<KubernetesObject>>(path, signal === undefined ? {} : { signal });
    return list?.items ?? [];
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}
