import type { ModelSpec } from "../../core/model.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { modelSpec } from "../plan/desired.ts";
import { drainMs, targetReplicas } from "../plan/rollout-plan.ts";
import { nextReleaseNumber, type RolloutRecord } from "../record/record.ts";
import { declaredReplicas, releaseSpecOf, scalingOf } from "../record/release-spec.ts";
import { type Capacity, capacityFor, vacatedFor } from "./capacity.ts";

/** A stretch of time in which both slots are at full size. */
export interface Stretch {
  readonly name: "settle" | "shadow" | "steps" | "soak" | "drain" | "rollback window";
  readonly ms: number;
}

export interface ReleaseCost {
  /** The model as the release would make it, and the slot that it would go to. */
  readonly spec: ModelSpec;
  readonly slot: Slot;
  readonly capacity: Capacity;
  /** How long the replicas are there beside the live ones at the most, once they are ready; what lasts no time is left out. */
  readonly stretches: readonly Stretch[];
}

/** What releasing the configuration's template would take beside what runs; `undefined` where it makes no releases, or nothing runs yet. */
export async function nextReleaseCost(
  context: RolloutContext,
  found: {
    /** The record as `up` would leave it. */
    readonly record: RolloutRecord;
    readonly observation: Observation;
    readonly routing: Routing;
  },
): Promise<ReleaseCost | undefined> {
  const { runs, rollout } = context.config;
  const { record, observation, routing } = found;
  const live = liveSlot(routing);
  const present = observation.slots[live].deployment;
  if (
    rollout.capacity === "skip" ||
    runs.form !== "template" ||
    observation.routing === undefined ||
    present === undefined
  )
    return undefined;
  const slot = otherSlot(live);
  const number = nextReleaseNumber(record);
  const declared = declaredReplicas(runs.release);
  const release = { number, slot, spec: releaseSpecOf(runs.release, {}), createdAt: "", by: "" };
  const planned: RolloutRecord = {
    ...record,
    releases: [...record.releases, release],
    slots: { ...record.slots, [slot]: number },
  };
  const spec = modelSpec(planned, context.namespace);
  const capacity = await capacityFor(context, {
    spec,
    observation,
    slot,
    vacated: vacatedFor(rollout.mode, slot),
    replicas: targetReplicas(declared, present.desiredReplicas, scalingOf(runs.release)),
  });
  if (capacity === undefined) return undefined;
  const stretches: readonly Stretch[] = [
    { name: "settle", ms: rollout.settleMs },
    { name: "shadow", ms: rollout.shadow?.forMs ?? 0 },
    { name: "steps", ms: rollout.steps.reduce((sum, { holdMs }) => sum + holdMs, 0) },
    { name: "soak", ms: rollout.soakMs },
    { name: "drain", ms: drainMs(rollout, record) },
    { name: "rollback window", ms: rollout.rollbackWindowMs },
  ];
  return { spec, slot, capacity, stretches: stretches.filter(({ ms }) => ms > 0) };
}
