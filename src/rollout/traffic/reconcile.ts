import { step } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import type { SlotObservation } from "../observe/observation.ts";
import { modelSpec } from "../plan/desired.ts";
import { type Sized, sizedForTraffic } from "../plan/sizing.ts";
import { objectsOfSlot } from "../program/declared-objects.ts";
import type { RolloutRecord } from "../record/record.ts";
import { whileWatching } from "./slot-wait.ts";

/**
 * Finishes what an unfinished `up` left, and brings the target to its full size and what was deleted of it back, before
 * anything is said about its readiness. Traffic stays where it is.
 */
export async function reconcile(
  context: RolloutContext,
  deployed: Deployed,
  target: Slot,
  willWrite: boolean,
): Promise<Sized> {
  const { observation, routing, location } = deployed;
  const adoptedRecord = adopted(deployed.record, target);
  if (!willWrite) return { record: adoptedRecord, atLeast: 0 };
  const { record, atLeast } = sizedForTraffic(adoptedRecord, observation, routing, target);
  const missing = isMissing(observation.slots[target], modelSpec(record, context.namespace), target);
  if (record === deployed.record && !record.applying && !missing) return { record, atLeast };
  const spec = modelSpec(record, context.namespace);
  await step(
    context.events,
    { id: "reconcile", title: `Bring ${target} to its full size` },
    async () => {
      if (record !== deployed.record) await context.store.update(() => ({ ...record, applying: true }));
      await whileWatching(context, location, [target], async (signal, events) => {
        const opened = await context.openStack(signal, events);
        if (missing) await opened.refresh({ spec, routing }, objectsOfSlot(spec, target));
        await opened.up({ spec, routing });
      });
      await context.store.update((present) => present && { ...present, applying: false });
    },
    () => `${location.model} is as it was declared`,
  );
  return { record, atLeast };
}

/** A slot that only had replicas of the other's release takes it over, at full size, before it gets traffic. */
function adopted(record: RolloutRecord, target: Slot): RolloutRecord {
  if (record.slots[target] !== null) return record;
  const other = otherSlot(target);
  const release = record.slots[other];
  const { replicas, scaling } = record.settings;
  const sameScaling = scaling?.[other];
  return {
    ...record,
    slots: target === "blue" ? { ...record.slots, blue: release } : { ...record.slots, green: release },
    settings: {
      ...record.settings,
      replicas: { ...replicas, [target]: Math.max(replicas[target], replicas[other]) },
      ...(sameScaling === undefined ? {} : { scaling: { ...scaling, [target]: sameScaling } }),
    },
  };
}

function isMissing(observed: SlotObservation, spec: ModelSpec, slot: Slot): boolean {
  if (observed.service === undefined) return true;
  if (spec.slots[slot].image === undefined) return false;
  return observed.deployment === undefined || observed.deployment.desiredReplicas === 0;
}
