import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";
import type { EventObject } from "../../slots/kubernetes-objects.ts";
import type { RolloutContext } from "../context/context.ts";
import { seeAutoscaler } from "./cluster-room.ts";

/** What autoscalers say of a pod that waits for a node: the Cluster Autoscaler, and Karpenter. */
const coming: readonly (string | undefined)[] = ["TriggeredScaleUp", "Nominated"];
const notComing = "NotTriggerScaleUp";

/**
 * Whether waiting for a node makes sense for a pod that fits on none: an autoscaler says that it makes one, or there is one that has not
 * said no; or somebody asked to go on all the same.
 */
export async function nodesMayCome(
  { api, namespace, signal, config }: Pick<RolloutContext, "api" | "namespace" | "signal" | "config">,
  pod: string,
): Promise<boolean> {
  if (config.rollout.capacity !== "require") return true;
  try {
    const list = await api.find<List<EventObject>>(`/api/v1/namespaces/${namespace}/events`, {
      query: { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${pod}` },
      signal,
    });
    const reasons = (list?.items ?? []).map(({ reason }) => reason);
    if (reasons.some((reason) => coming.includes(reason))) return true;
    if (reasons.includes(notComing)) return false;
  } catch (error) {
    // Whoever may not read events may be able to see an autoscaler.
    if (!(error instanceof KubernetesApiError)) throw error;
  }
  return (await seeAutoscaler(api, signal)) !== undefined;
}
