import type { PodObservation, SlotObservation } from "./observation.ts";

/** How long a pod may be overdue: ending containers and volumes takes the kubelet a while. */
const overdueMs = 30_000;

/** A pod that has ended holds nothing any more, however long it stays in the list. */
export function hasEnded({ phase }: Pick<PodObservation, "phase">): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

/**
 * The pods that hold a slot's room: `holding` do, those that are about to end among them. `lost` should have ended long ago, and nobody says that they
 * have: their node is gone, or cannot end them; waiting for them may take for ever. Pure.
 */
export function occupants(
  { pods }: Pick<SlotObservation, "pods">,
  now: number,
): { readonly holding: readonly PodObservation[]; readonly lost: readonly PodObservation[] } {
  const present = pods.filter((pod) => !hasEnded(pod));
  const isLost = ({ terminating, endsBy = now }: PodObservation) => terminating && now - endsBy > overdueMs;
  return { holding: present.filter((pod) => !isLost(pod)), lost: present.filter(isLost) };
}

/** Pods of what the slot runs now that are there to stay. */
export function presentPods({ pods }: Pick<SlotObservation, "pods">): readonly PodObservation[] {
  return pods.filter((pod) => !pod.terminating && !pod.former && pod.stray !== true && !hasEnded(pod));
}
