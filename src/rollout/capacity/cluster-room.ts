import type { NodeShape, PodSpecShape } from "../../core/capacity/objects.ts";
import type { ClusterRoom, RunningPod } from "../../core/capacity/room.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";

/** What is known of a cluster's room, or why nothing is. */
export type SeenRoom =
  | { readonly kind: "seen"; readonly room: ClusterRoom; readonly autoscaler: string | undefined }
  | { readonly kind: "unknown"; readonly why: string };

interface Page<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly continue?: string };
}

interface PodObject extends KubernetesObject {
  readonly spec?: PodSpecShape;
}

/** Large clusters have thousands of pods: they come in pages. */
const pageSize = 500;

/** Reads the nodes, what runs on them, and whether an autoscaler adds more. An account that may not is no error. */
export async function seeRoom(api: KubernetesApi, signal: AbortSignal): Promise<SeenRoom> {
  try {
    const [nodes, pods] = await Promise.all([
      listAll<NodeShape>(api, "/api/v1/nodes", signal),
      listAll<PodObject>(api, "/api/v1/pods", signal, "status.phase!=Succeeded,status.phase!=Failed"),
    ]);
    if (nodes === undefined || pods === undefined)
      return { kind: "unknown", why: "the API server lists no nodes" };
    const autoscaler = ownAutoscaler(nodes) ?? (await statusOfAutoscaler(api, signal));
    // What is about to end makes room long before new pods give up waiting for it.
    const staying = pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    return { kind: "seen", room: { nodes, pods: staying.map(runningPod) }, autoscaler };
  } catch (error) {
    if (!(error instanceof KubernetesApiError)) throw error;
    const why =
      error.status === 403 ? "this account may not list nodes and pods of the cluster" : error.message;
    return { kind: "unknown", why };
  }
}

/** What adds nodes to the cluster; `undefined`: nothing that could be seen. */
export async function seeAutoscaler(api: KubernetesApi, signal: AbortSignal): Promise<string | undefined> {
  const nodes = await listAll<NodeShape>(api, "/api/v1/nodes", signal).catch((error: unknown) => {
    if (error instanceof KubernetesApiError) return [];
    throw error;
  });
  return ownAutoscaler(nodes ?? []) ?? (await statusOfAutoscaler(api, signal));
}

async function listAll<T>(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
  fieldSelector?: string,
): Promise<readonly T[] | undefined> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const page: Page<T> | undefined = await api.find<Page<T>>(path, {
      query: { limit: pageSize, fieldSelector, continue: next },
      signal,
    });
    if (page?.items === undefined) return undefined;
    items.push(...page.items);
    next = page.metadata?.continue;
  } while (next !== undefined && next !== "");
  return items;
}

function runningPod({ metadata, spec }: PodObject): RunningPod {
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "", spec: spec ?? {} };
}

/** Nodes that an autoscaler made say so. */
function ownAutoscaler(nodes: readonly NodeShape[]): string | undefined {
  const has = (label: string, value?: string) =>
    nodes.some(({ metadata }) => {
      const found = metadata?.labels?.[label];
      return found !== undefined && (value === undefined || found === value);
    });
  if (has("eks.amazonaws.com/compute-type", "auto")) return "EKS Auto Mode";
  return has("karpenter.sh/nodepool") || has("karpenter.sh/provisioner-name") ? "Karpenter" : undefined;
}

/** The Cluster Autoscaler keeps its status there. */
async function statusOfAutoscaler(api: KubernetesApi, signal: AbortSignal): Promise<string | undefined> {
  try {
    const path = "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status";
    return (await api.find(path, { signal })) === undefined ? undefined : "the Cluster Autoscaler";
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw error;
  }
}
