import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import { type RolloutEvent, transition } from "../../core/rollout/transition.ts";
import type { RolloutContext } from "../context.ts";
import type { RolloutOutcomeRecord, RolloutRecord, RolloutRecordEntry } from "../record.ts";

/** The rollout of a record that has not ended. */
export function inProgress(record: RolloutRecord | undefined): RolloutRecordEntry | undefined {
  return record?.rollout === undefined || record.rollout.state.phase === "done" ? undefined : record.rollout;
}

/** Whether all that is left is to wait for the rollback window and to scale the old slot down. */
export function isLive(state: RolloutState): boolean {
  return state.phase === "scale-down" && state.direction === "forward";
}

/**
 * Other commands leave a rollout alone that is on its way.
 * @throws UserError `rollout-in-progress` (exit code 4)
 */
export function refuseInProgress(model: string, record: RolloutRecord | undefined): void {
  const entry = inProgress(record);
  if (entry === undefined || isLive(entry.state)) return;
  const { release, phase, paused } = entry.state;
  throw new UserError({
    code: "rollout-in-progress",
    message: `The ${entry.kind} of release ${release} of ${model} is in the phase ${phase}${paused ? ", paused" : ""}; ${entry.by} began it at ${entry.startedAt}.`,
    hint: "`modelswitch resume` goes on with it, `modelswitch abort` takes it back.",
    exitCode: exitCodes.locked,
    details: { release, phase },
  });
}

/** The record with a rollout ended whose rollback window was still open: its old slot gets something else to do. */
export function withoutWindow(record: RolloutRecord, now: number): RolloutRecord {
  const entry = inProgress(record);
  if (entry === undefined || !isLive(entry.state)) return record;
  const state: RolloutState = { ...entry.state, phase: "done", outcome: "released" };
  return {
    ...record,
    rollout: { ...entry, state },
    rollouts: [...(record.rollouts ?? []), ended(entry, state, now)],
  };
}

function ended(entry: RolloutRecordEntry, state: RolloutState, now: number): RolloutOutcomeRecord {
  return {
    kind: entry.kind,
    release: state.release,
    target: state.target,
    outcome: state.outcome ?? "released",
    ...(state.reason === undefined ? {} : { reason: state.reason }),
    by: entry.by,
    startedAt: entry.startedAt,
    endedAt: new Date(now).toISOString(),
  };
}

/** Writes what happened into the record, and moves a rollout that has ended into the history. */
export async function recordEvents(
  context: RolloutContext,
  events: readonly RolloutEvent[],
  heard = 0,
): Promise<RolloutRecordEntry> {
  let written: RolloutRecordEntry | undefined;
  await context.store.update((record) => {
    const entry = record?.rollout;
    if (record === undefined || entry === undefined) throw gone(context);
    const state = events.reduce((at, event) => transition(entry.plan, at, event), entry.state);
    written = { ...entry, state, requests: entry.requests.slice(heard) };
    if (state.phase !== "done" || entry.state.phase === "done") return { ...record, rollout: written };
    const outcome = ended(entry, state, context.clock.now());
    return { ...record, rollout: written, rollouts: [...(record.rollouts ?? []), outcome] };
  });
  if (written === undefined) throw gone(context);
  return written;
}

function gone(context: RolloutContext): UserError {
  return new UserError({
    code: "rollout-missing",
    message: `No rollout of ${context.config.name} is in progress.`,
    hint: "Start one with `modelswitch release`; `modelswitch history` shows those that ended.",
    exitCode: exitCodes.usage,
  });
}

/**
 * The rollout in progress.
 * @throws UserError `rollout-missing` (exit code 2)
 */
export function requireInProgress(context: RolloutContext, record: RolloutRecord): RolloutRecordEntry {
  const entry = inProgress(record);
  if (entry === undefined) throw gone(context);
  return entry;
}
