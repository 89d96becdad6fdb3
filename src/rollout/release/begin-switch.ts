import { begin, type RolloutPlan } from "../../core/rollout/state.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { sizedForTraffic } from "../plan/sizing.ts";
import { withoutWindow } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";
import { nextRolloutNumber } from "../record/rollouts.ts";

/** A switch that is about to begin. */
export interface SwitchStart {
  readonly target: Slot;
  /** It leads away from a bad slot: nothing of that one is needed, and traffic stays on the target. */
  readonly escapes: boolean;
  /** All traffic goes at once, also to a slot that is smaller than the load. */
  readonly now: boolean;
}

/** The record with a switch on its way: a rollout of what the slot has, with a cut-over only. */
export function withSwitch(
  context: RolloutContext,
  present: RolloutRecord,
  { observation, routing }: Pick<Deployed, "observation" | "routing">,
  { target, escapes, now }: SwitchStart,
): RolloutRecord {
  const at = context.clock.now();
  const record = withRelease(withoutWindow(present, context.namespace, at), target);
  const from = otherSlot(target);
  const { atLeast } = sizedForTraffic(record, observation, routing, target);
  const plan: RolloutPlan = {
    readiness: escapes ? "any" : "all",
    mode: { kind: "full" },
    replicas: atLeast,
    fromReplicas: observation.slots[from].deployment?.desiredReplicas ?? record.settings.replicas[from],
    idleReplicas: 0,
    settleMs: 0,
    steps: [],
    soakMs: 0,
    drainMs: 0,
    rollbackWindowMs: 0,
    approval: [],
    hooks: [],
    gates: false,
    ...(escapes ? { escapes } : {}),
    cutOverOnly: true,
  };
  const about = { release: record.slots[target] ?? 0, target, windowsIgnored: true, now };
  return {
    ...record,
    rollout: {
      number: nextRolloutNumber(record),
      kind: "switch",
      plan,
      state: begin(plan, about, at, escapes ? "cut-over" : "deploy"),
      by: context.operator,
      startedAt: new Date(at).toISOString(),
      replaces: record.slots[from],
      changes: [],
      skipped: [],
      requests: [],
      journal: [],
      ...(present.slots[target] === null ? { borrows: { replicas: present.settings.replicas[target] } } : {}),
    },
  };
}

/** A slot that only had replicas of the other's release takes it over, at full size. */
function withRelease(record: RolloutRecord, target: Slot): RolloutRecord {
  if (record.slots[target] !== null) return record;
  const other = otherSlot(target);
  const { replicas, scaling } = record.settings;
  const sameScaling = scaling?.[other];
  return {
    ...record,
    slots: { ...record.slots, [target]: record.slots[other] },
    settings: {
      ...record.settings,
      replicas: { ...replicas, [target]: Math.max(replicas[target], replicas[other]) },
      ...(sameScaling === undefined ? {} : { scaling: { ...scaling, [target]: sameScaling } }),
    },
  };
}
