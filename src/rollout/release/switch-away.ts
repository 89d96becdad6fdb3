import { begin, type RolloutPlan } from "../../core/rollout/state.ts";
import { liveSlot } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import type { ProofSubject } from "../ingress/proof-subject.ts";
import { inTurn, withLockInTurn } from "../lock/lock.ts";
import { refuseInProgress, withoutWindow } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";
import { nextRolloutNumber } from "../record/rollouts.ts";
import type { StepTiming } from "../traffic/traffic.ts";
import { execute } from "./execute.ts";

/** How a switch away from a bad slot went. */
export interface SwitchedAway {
  readonly from: Slot;
  readonly steps: readonly StepTiming[];
  readonly identities: ProofSubject["identities"];
  readonly endpoints: readonly string[];
  readonly totalMs: number;
}

/**
 * Leaves a live slot that is bad: the way back of the rollout's driver, which needs the target alone, and is recorded until it has ended.
 * @throws UserError `rollout-in-progress`, `goal-silent`, `rollback-unfinished`
 */
export async function switchAway(context: RolloutContext, target: Slot, now: boolean): Promise<SwitchedAway> {
  const { clock } = context;
  const startedAt = clock.now();
  return await withLockInTurn(context.lockOptions(`switch ${target}`), inTurn(context), async (lock) => {
    const deployed = await observeDeployed(context);
    refuseInProgress(context.config.name, deployed.record);
    const from = liveSlot(deployed.routing);
    await context.store.update((record) => record && withSwitch(context, record, deployed, { target, now }));
    const steps: StepTiming[] = [];
    let subject: ProofSubject | undefined;
    await execute(context, lock, {
      onStep: (timing, of) => {
        steps.push(timing);
        subject = of;
      },
    });
    return {
      from,
      steps,
      identities: subject?.identities ?? {},
      endpoints: (subject?.endpoints ?? []).map(({ url }) => url),
      totalMs: clock.now() - startedAt,
    };
  });
}

/** The record with a switch on its way. */
function withSwitch(
  context: RolloutContext,
  present: RolloutRecord,
  { observation }: Deployed,
  { target, now }: { readonly target: Slot; readonly now: boolean },
): RolloutRecord {
  const at = context.clock.now();
  const record = withoutWindow(present, context.namespace, at);
  const from = otherSlot(target);
  const plan: RolloutPlan = {
    readiness: "any",
    mode: { kind: "full" },
    replicas: record.settings.replicas[target],
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
    escapes: true,
    cutOverOnly: true,
  };
  // A slot that only had replicas of the other's release takes it over.
  const slots = { ...record.slots, [target]: record.slots[target] ?? record.slots[from] };
  return {
    ...record,
    slots,
    rollout: {
      number: nextRolloutNumber(record),
      kind: "switch",
      plan,
      state: begin(plan, { release: slots[target] ?? 0, target, windowsIgnored: true, now }, at, "cut-over"),
      by: context.operator,
      startedAt: new Date(at).toISOString(),
      replaces: record.slots[from],
      changes: [],
      skipped: [],
      requests: [],
      journal: [],
    },
  };
}
