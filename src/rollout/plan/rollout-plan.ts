import { requireSteps } from "../../component/routers/routing-wishes.ts";
import type { ResolvedConfig, ResolvedRollout } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { Phase, RolloutPlan } from "../../core/rollout/state.ts";
import { liveSlot } from "../../core/routing.ts";
import type { Deployed } from "../context/deployed.ts";
import type { RolloutRecord, SlotScaling } from "../record/record.ts";

/**
 * What a rollout is to do, from the configuration and what is there. Pure.
 * @throws UserError `mode-with-autoscaler`, `mode-with-steps`, `capability-missing` (exit code 2)
 */
export function planOf(
  config: ResolvedConfig,
  { record, routing, observation, location }: Deployed,
  declared: number,
  scaling: SlotScaling | undefined,
): RolloutPlan {
  const live = liveSlot(routing);
  const { rollout, runs } = config;
  const { mode } = rollout;
  const present = observation.slots[live].deployment?.desiredReplicas ?? record.settings.replicas[live];
  if (mode.kind === "partial" && scaling?.autoscaling !== undefined) {
    throw new UserError({
      code: "mode-with-autoscaler",
      message: `The mode partial fixes how many replicas there are on the way, and the release of ${config.name} has an autoscaler, which decides that itself.`,
      hint: "Use the mode full (rollout.mode in the config file), or `replicas` instead of `autoscaling`.",
      exitCode: exitCodes.usage,
    });
  }
  if (mode.kind === "recreate" && rollout.steps.length > 0) {
    throw new UserError({
      code: "mode-with-steps",
      message: "In the mode recreate only one slot runs at a time, so traffic cannot be shifted in steps.",
      hint: "Leave out the steps, or use the mode full or partial.",
      exitCode: exitCodes.usage,
    });
  }
  const shares = rollout.steps.map(({ weight }) => weight);
  requireSteps(location.router, shares, "rollout.steps");
  return {
    readiness: "all",
    mode,
    replicas: targetReplicas(declared, present, scaling),
    fromReplicas: present,
    // There is no room for two.
    idleReplicas: mode.kind === "recreate" || runs.form !== "template" ? 0 : runs.idleReplicas,
    settleMs: rollout.settleMs,
    steps: rollout.steps,
    soakMs: rollout.soakMs,
    drainMs: drainMs(rollout, record),
    rollbackWindowMs: rollout.rollbackWindowMs,
    // Once the live slot is empty nothing may wait for a person any more.
    approval: mode.kind === "recreate" ? beforeEmptying(rollout.approval) : rollout.approval,
    hooks: rollout.hooks.map(({ name, when, phase }) => ({ name, when, phase })),
    gates: true,
    ...reachOf(config, record),
  };
}

/** Who gets the new release before others, and how: as far as it was applied. With one slot at a time nobody is before others. */
function reachOf(
  { rollout: { mode, shadow, steps } }: Pick<ResolvedConfig, "rollout">,
  { settings }: Pick<RolloutRecord, "settings">,
): Pick<RolloutPlan, "testers" | "pins" | "shadow"> {
  if (mode.kind === "recreate") return {};
  const { testers, sticky = false } = settings.routing ?? {};
  return {
    ...(testers === undefined ? {} : { testers: true }),
    ...(sticky === false || steps.length === 0 ? {} : { pins: true }),
    ...(shadow === undefined ? {} : { shadow }),
  };
}

/** As many as the live slot has now, by its autoscaler too: it is to take the same traffic. Pure. */
export function targetReplicas(declared: number, present: number, scaling: SlotScaling | undefined): number {
  return Math.min(Math.max(1, declared, present), scaling?.autoscaling?.max ?? Number.POSITIVE_INFINITY);
}

/** The longest that draining is waited for: as long as a request may take, unless the configuration says something else. Pure. */
export function drainMs(rollout: ResolvedRollout, { settings }: RolloutRecord): number {
  const { preStopSleepSeconds, terminationGracePeriodSeconds } = settings.server;
  return rollout.drainMs ?? Math.max(0, terminationGracePeriodSeconds - preStopSleepSeconds) * 1000;
}

function beforeEmptying(approval: readonly Phase[]): readonly Phase[] {
  return [...new Set(approval.map((phase) => (phase === "scale-down" ? phase : "deploy")))];
}

/** The plan of a rollback: what it leaves is worse, so nothing holds it. Pure. */
export function rollbackPlan(
  { testers: _testers, pins: _pins, shadow: _shadow, ...plan }: RolloutPlan,
  isThere: boolean,
): RolloutPlan {
  return {
    ...plan,
    escapes: true,
    mode: isThere ? { kind: "full" } : plan.mode,
    readiness: isThere ? "any" : "all",
    steps: [],
    settleMs: isThere ? 0 : plan.settleMs,
    soakMs: 0,
    rollbackWindowMs: 0,
    approval: [],
    hooks: [],
    gates: false,
  };
}
