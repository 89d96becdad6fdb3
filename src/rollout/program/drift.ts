import { slots } from "../../core/slots.ts";
import type { Observation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { DeclaredObject } from "./declared-objects.ts";
import { objectsOfSlot, routingObjects } from "./declared-objects.ts";
import type { Desired } from "./model-program.ts";
import type { ModelStack } from "./model-stack.ts";

/** What Pulumi's state says otherwise than the cluster: it compares with its state, and would leave it so. */
export type Drift = "everything" | readonly DeclaredObject[];

/** What was there before and is gone, or scaled to nothing. */
export async function driftOf(
  record: RolloutRecord,
  observation: Observation,
  { spec }: Desired,
  stack: Pick<ModelStack, "hasState">,
): Promise<Drift> {
  const { ingress, missing = [] } = observation;
  if (ingress === undefined && slots.every((slot) => observation.slots[slot].service === undefined)) {
    // Nothing is there and nothing was: the first `up`. With a state, the namespace or the whole cluster was made anew.
    return record.history.length > 0 || (await stack.hasState()) ? "everything" : [];
  }
  return [
    ...routingObjects(spec).filter(
      ({ kind, name }) =>
        ingress === undefined || missing.some((one) => one.kind.kind === kind && one.name === name),
    ),
    ...slots.flatMap((slot) => {
      const { service, deployment } = observation.slots[slot];
      const own = objectsOfSlot(spec, slot);
      const isEmptied =
        spec.slots[slot].image !== undefined &&
        (deployment === undefined ||
          (deployment.desiredReplicas === 0 && record.settings.replicas[slot] > 0));
      return [
        ...(service === undefined ? own.filter(({ kind }) => kind === "Service") : []),
        ...(isEmptied ? own.filter(({ kind }) => kind !== "Service") : []),
      ];
    }),
  ];
}

/** Whether there is any. */
export function hasDrifted(drift: Drift): boolean {
  return drift === "everything" || drift.length > 0;
}
