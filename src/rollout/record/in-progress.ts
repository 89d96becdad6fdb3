import type { Clock } from "../../core/clock.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import { type RolloutEvent, transition } from "../../core/rollout/transition.ts";
import type { Slot } from "../../core/slots.ts";
import type { Journal } from "./journal.ts";
import { type JournalEntry, withEntries } from "./journal-entry.ts";
import type { RolloutRecord } from "./record.ts";
import type { RecordStore } from "./record-store.ts";
import { reportOf } from "./report.ts";
import { memoriesOf, type RolloutOutcomeRecord, type RolloutRecordEntry } from "./rollouts.ts";
import { mergedVerdicts } from "./verdicts.ts";

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
export function withoutWindow(record: RolloutRecord, namespace: string, now: number): RolloutRecord {
  const entry = inProgress(record);
  if (entry === undefined || !isLive(entry.state)) return record;
  const state: RolloutState = { ...entry.state, phase: "done", outcome: "released" };
  return withEnd(record, { ...entry, state }, namespace, now);
}

/** The record with a rollout that has ended, and its report. */
function withEnd(
  record: RolloutRecord,
  entry: RolloutRecordEntry,
  namespace: string,
  now: number,
): RolloutRecord {
  const { state, number, kind, by, startedAt } = entry;
  if (kind === "switch") return withSwitched(record, entry, now);
  const endedAt = new Date(now).toISOString();
  const report = reportOf(record, entry, { namespace, endedAt });
  const outcome: RolloutOutcomeRecord = {
    number,
    kind,
    release: state.release,
    target: state.target,
    replaces: entry.replaces,
    outcome: state.outcome ?? "released",
    ...(state.reason === undefined ? {} : { reason: state.reason }),
    by,
    startedAt,
    endedAt,
    sha256: report.sha256,
    report,
  };
  // What happened is in the report now.
  const { gates: _remembered, pods: _former, verdicts: _said, ...over } = entry;
  return { ...record, rollout: { ...over, journal: [] }, rollouts: [...(record.rollouts ?? []), outcome] };
}

/** A switch leaves a line in the history, and never pushes a release or its report out of the record. */
function withSwitched(
  { rollout: _over, ...record }: RolloutRecord,
  { state, by, startedAt, borrows }: RolloutRecordEntry,
  now: number,
): RolloutRecord {
  if (state.outcome !== "released") {
    return borrows === undefined || record.applying
      ? record
      : givenBack(record, state.target, borrows.replicas);
  }
  const at = new Date(now).toISOString();
  const durationMs = now - Date.parse(startedAt);
  const line = { at, from: state.from, to: state.target, by, durationMs };
  return { ...record, history: [...record.history, line] };
}

/** A model, by what its record needs. */
interface Recorded {
  readonly config: { readonly name: string };
  readonly namespace: string;
  readonly store: RecordStore;
  readonly clock: Clock;
}

/** The record of a slot that has no release of its own again. */
function givenBack(record: RolloutRecord, slot: Slot, replicas: number): RolloutRecord {
  const { settings } = record;
  const { [slot]: _borrowed, ...scaling } = settings.scaling ?? {};
  return {
    ...record,
    slots: { ...record.slots, [slot]: null },
    settings: {
      ...settings,
      replicas: { ...settings.replicas, [slot]: replicas },
      ...(settings.scaling === undefined ? {} : { scaling }),
    },
  };
}

/** Writes what happened into the record, and moves a rollout that has ended into the history. Returns what was written. */
export async function recordEvents(
  context: Recorded,
  events: readonly RolloutEvent[],
  journal: Journal,
  heard = 0,
): Promise<RolloutRecord> {
  const noted = [...journal.noted];
  const { memories } = journal;
  const verdicts = journal.takeVerdicts();
  const writing = context.store.update((record): RolloutRecord => {
    const entry = record?.rollout;
    if (record === undefined || entry === undefined) throw gone(context);
    const state = events.reduce((at, event) => transition(entry.plan, at, event), entry.state);
    const now = context.clock.now();
    const begun = phaseEntry(entry.state, state, now);
    const changed: RolloutRecordEntry = {
      ...entry,
      state,
      requests: entry.requests.slice(heard),
      journal: withEntries(entry.journal, [...noted, ...begun]),
      ...(memories === undefined ? {} : { gates: { ...memoriesOf(entry), ...memories } }),
      ...(verdicts.length === 0 ? {} : { verdicts: mergedVerdicts(entry.verdicts ?? [], verdicts) }),
    };
    if (state.phase !== "done" || entry.state.phase === "done") return { ...record, rollout: changed };
    return withEnd(record, changed, context.namespace, now);
  });
  try {
    const written = await writing;
    journal.written(noted, memories);
    return written;
  } catch (error) {
    journal.giveBack(verdicts);
    throw error;
  }
}

function phaseEntry(before: RolloutState, after: RolloutState, now: number): JournalEntry[] {
  const [was, is] = [phaseTitle(before), phaseTitle(after)];
  return was === is || after.phase === "done"
    ? []
    : [{ at: new Date(now).toISOString(), kind: "phase", text: is }];
}

/** `shift`, `before shift`, `cut-over, on the way back`. */
export function phaseTitle({ phase, stage, direction }: RolloutState): string {
  const name = stage === "during" ? phase : `${stage} ${phase}`;
  return direction === "back" ? `${name}, on the way back` : name;
}

function gone(context: Pick<Recorded, "config">): UserError {
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
export function requireInProgress(
  context: Pick<Recorded, "config">,
  record: RolloutRecord,
): RolloutRecordEntry {
  const entry = inProgress(record);
  if (entry === undefined) throw gone(context);
  return entry;
}

/**
 * The rollout of a record, also one that has ended.
 * @throws UserError `rollout-missing` (exit code 2)
 */
export function rolloutOf(context: Pick<Recorded, "config">, record: RolloutRecord): RolloutRecordEntry {
  if (record.rollout === undefined) throw gone(context);
  return record.rollout;
}
