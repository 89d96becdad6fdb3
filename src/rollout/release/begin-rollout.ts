import { begin, type RolloutPlan } from "../../core/rollout/state.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { phaseTitle, withoutWindow } from "../record/in-progress.ts";
import {
  type ReleaseRecord,
  type ReleaseSpec,
  type RolloutRecord,
  releaseOf,
  type SlotScaling,
} from "../record/record.ts";
import { releaseDifferences } from "../record/release-spec.ts";
import { nextRolloutNumber, type RolloutRecordEntry } from "../record/rollouts.ts";

/** What a new rollout is to make of a model. */
export interface Start {
  readonly kind: RolloutRecordEntry["kind"];
  readonly release: ReleaseRecord;
  /** Whether the release is new to the record. */
  readonly isNew: boolean;
  readonly plan: RolloutPlan;
  readonly phase: "deploy" | "shift";
  readonly windowsIgnored: boolean;
  /** Whether all traffic goes at once to a target that is smaller than the load. @default false */
  readonly now?: boolean;
  /** What is skipped on somebody's word, a line each. */
  readonly skipped: readonly string[];
  /** How the target's number of replicas is kept. */
  readonly scaling: SlotScaling | undefined;
}

/** The record with a rollout that begins now. */
export function withRollout(context: RolloutContext, present: RolloutRecord, start: Start): RolloutRecord {
  const { release: wanted, plan } = start;
  const now = context.clock.now();
  const record = withoutWindow(present, context.namespace, now);
  const startedAt = new Date(now).toISOString();
  const state = begin(
    plan,
    {
      release: wanted.number,
      target: wanted.slot,
      windowsIgnored: start.windowsIgnored,
      now: start.now ?? false,
    },
    now,
    start.phase,
  );
  const replaced = releaseOf(record, otherSlot(wanted.slot));
  const { [wanted.slot]: _former, ...others } = record.settings.scaling ?? {};
  const scaling = start.scaling === undefined ? others : { ...others, [wanted.slot]: start.scaling };
  const { scaling: _scaling, ...settings } = record.settings;
  return {
    ...record,
    settings: { ...settings, ...(Object.keys(scaling).length === 0 ? {} : { scaling }) },
    releases: start.isNew
      ? [...record.releases, wanted]
      : record.releases.map((one) => (one.number === wanted.number ? wanted : one)),
    slots: { ...record.slots, [wanted.slot]: wanted.number },
    rollout: {
      number: nextRolloutNumber(record),
      kind: start.kind,
      plan,
      state,
      by: context.operator,
      startedAt,
      replaces: replaced?.number ?? null,
      changes:
        replaced === undefined ? [] : releaseDifferences(replaced.spec, wanted.spec).map(({ text }) => text),
      skipped: start.skipped,
      requests: [],
      journal: [{ at: startedAt, kind: "phase", text: phaseTitle(state) }],
    },
  };
}

/** A release that is about to be put into a slot. */
export function newRelease(
  { clock, operator }: Pick<RolloutContext, "clock" | "operator">,
  number: number,
  slot: Slot,
  spec: ReleaseSpec,
): ReleaseRecord {
  return { number, slot, spec, createdAt: new Date(clock.now()).toISOString(), by: operator };
}
