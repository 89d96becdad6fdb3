import type { LimitRangeShape, PodSpecShape, QuotaShape } from "../../core/capacity/objects.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";

/** What a namespace says of the pods in it. */
export interface NamespaceRules {
  readonly quotas: readonly QuotaShape[];
  readonly ranges: readonly LimitRangeShape[];
  /** What this account may not list. */
  readonly unseen: readonly string[];
}

/** Reads the quotas and limit ranges of a namespace; what may not be listed is named, and no error. */
export async function seeRules(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
): Promise<NamespaceRules> {
  const path = `/api/v1/namespaces/${namespace}`;
  const [quotas, ranges] = await Promise.all([
    listed<QuotaShape>(api, `${path}/resourcequotas`, signal),
    listed<LimitRangeShape>(api, `${path}/limitranges`, signal),
  ]);
  return {
    quotas: quotas ?? [],
    ranges: ranges ?? [],
    unseen: [
      ...(quotas === undefined ? ["ResourceQuotas"] : []),
      ...(ranges === undefined ? ["LimitRanges"] : []),
    ],
  };
}

/** A pod that quotas have counted. */
export interface CountedPod {
  readonly name: string;
  readonly spec: PodSpecShape;
  /** It is about to end: quotas count it still, and will not for long. */
  readonly terminating: boolean;
}

export async function seePods(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly CountedPod[]> {
  const pods = await listed<{
    readonly metadata?: { readonly name?: string; readonly deletionTimestamp?: string };
    readonly spec?: PodSpecShape;
  }>(api, `/api/v1/namespaces/${namespace}/pods`, signal);
  return (pods ?? []).map(({ metadata, spec }) => ({
    name: metadata?.name ?? "",
    spec: spec ?? {},
    terminating: metadata?.deletionTimestamp !== undefined,
  }));
}

/** Where quotas count by priority, pods without a class have the cluster's own, as far as that may be seen. */
export async function withPriority(
  api: KubernetesApi,
  spec: PodSpecShape,
  quotas: readonly QuotaShape[],
  signal: AbortSignal,
): Promise<PodSpecShape> {
  const matters = quotas.some((quota) =>
    [
      ...(quota.spec?.scopes ?? []),
      ...(quota.spec?.scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName),
    ].includes("PriorityClass"),
  );
  if (!matters || (spec.priorityClassName ?? "") !== "") return spec;
  const classes = await listed<{
    readonly metadata?: { readonly name?: string };
    readonly globalDefault?: boolean;
  }>(api, "/apis/scheduling.k8s.io/v1/priorityclasses", signal);
  const name = classes?.find(({ globalDefault }) => globalDefault === true)?.metadata?.name;
  return name === undefined ? spec : { ...spec, priorityClassName: name };
}

async function listed<T>(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
): Promise<readonly T[] | undefined> {
  try {
    return (await api.find<List<T>>(path, { signal }))?.items ?? [];
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}
