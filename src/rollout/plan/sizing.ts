import type { RolloutState } from "../../core/rollout/state.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { Observation } from "../observe/observation.ts";
import { type AppliedSettings, type RolloutRecord, releaseOf } from "../record/record.ts";

export interface Sized {
  readonly record: RolloutRecord;
  /** Replicas that the target must have before it takes traffic; an autoscaler makes them after a while. */
  readonly atLeast: number;
}

/**
 * Sizes a slot for the traffic it is about to take: where the live one has grown, by its autoscaler or by hand, the target gets as many
 * replicas as that has now. A slot that is declared smaller on purpose stays so. Pure.
 */
export function sizedForTraffic(
  record: RolloutRecord,
  observation: Observation,
  routing: Routing,
  target: Slot,
): Sized {
  const { settings } = record;
  const declared = settings.replicas[target];
  const unchanged = { record, atLeast: declared };
  const live = liveSlot(routing);
  const present = observation.slots[live].deployment?.desiredReplicas;
  const isOurs = releaseOf(record, target)?.spec.image !== undefined;
  if (live === target || present === undefined || !isOurs) return unchanged;
  const isAutoscaled = settings.scaling?.[live]?.autoscaling !== undefined;
  if (!isAutoscaled && present <= settings.replicas[live]) return unchanged;
  const autoscaling = settings.scaling?.[target]?.autoscaling;
  const wanted = autoscaling === undefined ? present : Math.min(present, autoscaling.max);
  if (wanted <= declared) return unchanged;
  return {
    record: { ...record, settings: { ...settings, replicas: { ...settings.replicas, [target]: wanted } } },
    atLeast: wanted,
  };
}

/**
 * The fewest replicas of each slot while one of them is resized. What a release leaves keeps the size that it has at that moment, through
 * shift, soak and window: without traffic its autoscaler would shrink it, and the way back would lead to too little. Taken back, the
 * slot that has the traffic again is sized by its autoscaler alone. Pure.
 */
export function floorsWhile(
  { settings }: RolloutRecord,
  observation: Observation,
  { direction }: Pick<RolloutState, "direction">,
  resized: { readonly slot: Slot; readonly replicas: number; readonly isTarget: boolean },
): AppliedSettings["replicas"] {
  const other = otherSlot(resized.slot);
  const autoscaling = settings.scaling?.[other]?.autoscaling;
  const present = observation.slots[other].deployment?.desiredReplicas ?? 0;
  const floor = settings.replicas[other];
  const kept = () => {
    if (autoscaling === undefined || floor === 0) return floor;
    if (direction === "back") return autoscaling.min;
    return resized.isTarget ? Math.min(Math.max(floor, present), autoscaling.max) : floor;
  };
  return { ...settings.replicas, [other]: kept(), [resized.slot]: resized.replicas };
}
