import type { Demand } from "../../core/capacity/room.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { requireAdmitted, requireIngressAdmitted } from "../capacity/require-admitted.ts";
import { requireCapacity } from "../capacity/require-capacity.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import type { PreparedUp } from "./prepare-up.ts";

/**
 * Refuses an `up` whose new pods or Ingress would not be let in, or find no place: for those, it would wait for minutes.
 * @throws UserError `capacity-short`, `quota-short`, `limit-range`, `admission-refused`
 */
export async function requireRoomForUp(
  context: RolloutContext,
  { desired, observation }: Pick<PreparedUp, "desired" | "observation">,
): Promise<void> {
  const { spec } = desired;
  const besides: Demand[] = [];
  let objects = missingObjects(observation);
  for (const slot of slots) {
    const replicas = sizeOf(desired.spec.slots[slot]);
    if (!getsPods(slot, replicas, { desired, observation })) continue;
    const question = { spec, observation, slot, replicas, besides: [...besides], objects };
    const found = await requireCapacity(context, question, { warnUnknown: false });
    if (found !== undefined) besides.push(found.demand);
    objects = {};
    await requireAdmitted(context, spec, slot);
  }
  if (observation.ingress === undefined) await requireIngressAdmitted(context, desired);
}

function sizeOf({
  replicas,
  autoscaling,
}: {
  readonly replicas?: number;
  readonly autoscaling?: { readonly min?: number };
}): number {
  return replicas ?? autoscaling?.min ?? 1;
}

function getsPods(
  slot: Slot,
  replicas: number,
  { desired, observation }: Pick<PreparedUp, "desired" | "observation">,
): boolean {
  const { image, release } = desired.spec.slots[slot];
  if (image === undefined || replicas === 0) return false;
  const present = observation.slots[slot].deployment;
  return present === undefined || present.release !== release || present.desiredReplicas < replicas;
}

/** What `up` makes beside pods, by the names that quotas have for it. */
function missingObjects(observation: Observation): Record<string, number> {
  const missing = (kind: "deployment" | "service") =>
    slots.filter((slot) => observation.slots[slot][kind] === undefined).length;
  const isNew = observation.ingress === undefined ? 1 : 0;
  return {
    services: missing("service"),
    "deployments.apps": missing("deployment"),
    "replicasets.apps": missing("deployment"),
    "ingresses.networking.k8s.io": isNew,
    configmaps: isNew,
  };
}
