import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";
import {
  type Outcome,
  outcomes,
  phases,
  type RolloutKind,
  type RolloutPlan,
  type RolloutState,
  rolloutKinds,
  stages,
} from "../../core/rollout/state.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { KnownPods } from "../../gates/io.ts";
import type { GateMemories } from "../../gates/watch.ts";
import { type JournalEntry, journalEntry } from "./journal-entry.ts";
import type { RolloutReport } from "./rollout-report.ts";
import { type RecordedVerdict, recordedVerdict } from "./verdicts.ts";

/** What somebody asked of a rollout that another command is working on. */
export interface RolloutRequest {
  readonly kind: (typeof requestKinds)[number];
  /** Of an approval: the phase that it is for. */
  readonly phase?: RolloutState["phase"] | undefined;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

export const requestKinds = [
  "pause",
  "resume",
  "promote",
  "approve",
  "ignore-windows",
  "abort",
  "now",
] as const;

/** The rollout in progress, or the last one. */
export interface RolloutRecordEntry {
  /** Counts up from 1. */
  readonly number: number;
  readonly kind: RolloutKind;
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  /** Who began it, `user@host`. */
  readonly by: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The release that was live when it began. */
  readonly replaces: number | null;
  /** How the release differs from that one, a line each. */
  readonly changes: readonly string[];
  /** What was skipped on somebody's word, a line each. */
  readonly skipped: readonly string[];
  /** Asked for and not yet heard, oldest first. */
  readonly requests: readonly RolloutRequest[];
  /** Oldest first. */
  readonly journal: readonly JournalEntry[];
  /**
   * What gates remember, by name: evidence is not lost when a command is killed, and a pod that restarts while none runs is found out by the
   * next.
   */
  readonly gates?: GateMemories | undefined;
  /** What gates said in each phase and step, for the report. @default nothing yet */
  readonly verdicts?: readonly RecordedVerdict[] | undefined;
  /** What older versions remembered of the gate `pods`. */
  readonly pods?: KnownPods | undefined;
  /** Of a switch: the target had no release of its own before, and so many replicas of the other slot's were declared for it. */
  readonly borrows?: { readonly replicas: number } | undefined;
}

/** How a rollout ended, for the history. */
export interface RolloutOutcomeRecord {
  readonly number: number;
  readonly kind: RolloutKind;
  readonly release: number;
  readonly target: Slot;
  /** The release that was live when it began; absent: an older version did not note it. */
  readonly replaces?: number | null | undefined;
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Digest of its report. */
  readonly sha256?: string | undefined;
  /** Reports of the newest rollouts are kept. */
  readonly report?: RolloutReport | undefined;
}

/** Rollouts whose report is kept; of older ones the digest. */
const keptReports = 10;
/** Reports that together are larger than this make room, bytes: a ConfigMap holds 1 MiB. */
const keptReportBytes = 400_000;
/** Rollouts whose outcome is kept. */
export const keptOutcomes = 50;

/** What the gates of a rollout remember, from a record of whatever version. Pure. */
export function memoriesOf({ gates, pods }: RolloutRecordEntry): GateMemories {
  return { ...(pods === undefined ? {} : { pods }), ...gates };
}

/** Keeps the history small: the newest reports, and what the others came to. Pure. */
export function boundedOutcomes(outcomes: readonly RolloutOutcomeRecord[]): readonly RolloutOutcomeRecord[] {
  const kept = outcomes.slice(-keptOutcomes);
  let bytes = 0;
  return kept
    .toReversed()
    .map((outcome, age) => {
      bytes += outcome.report === undefined ? 0 : Buffer.byteLength(JSON.stringify(outcome.report));
      if (age < keptReports && bytes <= keptReportBytes) return outcome;
      return withoutReport(outcome);
    })
    .toReversed();
}

export function withoutReport({ report: _report, ...outcome }: RolloutOutcomeRecord): RolloutOutcomeRecord {
  return outcome;
}

export function nextRolloutNumber(record: {
  readonly rollout?: { readonly number: number } | undefined;
  readonly rollouts?: readonly { readonly number: number }[] | undefined;
}): number {
  return Math.max(record.rollout?.number ?? 0, ...(record.rollouts ?? []).map(({ number }) => number), 0) + 1;
}

const slotSchema = z.enum(slots);
const phase = z.enum(phases);
const mode = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("full") }),
  z.object({ kind: z.literal("partial"), percent: z.number() }),
  z.object({ kind: z.literal("recreate") }),
]);
const planSchema = z.object({
  readiness: z.enum(["all", "any"]),
  mode,
  replicas: z.number().int(),
  fromReplicas: z.number().int(),
  idleReplicas: z.number().int(),
  settleMs: z.number(),
  steps: z.array(z.object({ weight: z.number(), holdMs: z.number(), endsEarly: z.boolean().optional() })),
  soakMs: z.number(),
  drainMs: z.number(),
  rollbackWindowMs: z.number(),
  approval: z.array(phase),
  hooks: z.array(z.object({ name: z.string(), when: z.enum(["before", "after"]), phase })),
  gates: z.boolean(),
  escapes: z.boolean().optional(),
  cutOverOnly: z.boolean().optional(),
  testers: z.boolean().optional(),
  pins: z.boolean().optional(),
  shadow: z.object({ percent: z.number().int(), forMs: z.number() }).optional(),
});
const outcome = z.enum(outcomes);
const kind = z.enum(rolloutKinds);
const stateSchema = z.object({
  release: z.number().int(),
  target: slotSchema,
  from: slotSchema,
  direction: z.enum(["forward", "back"]),
  phase: z.enum([...phases, "done"]),
  stage: z.enum(stages),
  hooksDone: z.number().int(),
  approved: z.boolean(),
  stepIndex: z.number().int(),
  proved: z.boolean(),
  // Older versions did not note it.
  arming: z.boolean().default(false),
  since: z.number(),
  warmed: z.number().int(),
  exposed: z.boolean(),
  paused: z.boolean(),
  promoted: z.boolean(),
  // Older versions wrote everything through Pulumi.
  followed: z.boolean().default(true),
  now: z.boolean().default(false),
  windowsIgnored: z.boolean(),
  reason: z.string().optional(),
  cause: z.string().optional(),
  outcome: outcome.optional(),
});
/** The shape of the rollout in progress in the stored record. */
export const rolloutEntrySchema = tied<RolloutRecordEntry>()(
  z.object({
    number: z.number().int(),
    kind,
    plan: planSchema,
    state: stateSchema,
    by: z.string(),
    startedAt: z.string(),
    replaces: z.number().int().nullable(),
    changes: z.array(z.string()),
    skipped: z.array(z.string()),
    requests: z.array(
      z.object({
        kind: z.enum(requestKinds),
        phase: z.enum([...phases, "done"]).optional(),
        by: z.string(),
        at: z.string(),
      }),
    ),
    journal: z.array(journalEntry),
    borrows: z.object({ replicas: z.number().int() }).optional(),
    // Each kind of gate checks its own, and begins anew with what it does not know.
    gates: z.record(z.string(), z.unknown()).optional(),
    verdicts: z.array(recordedVerdict).optional(),
    pods: z.record(z.string(), z.object({ name: z.string(), restarts: z.number().int() })).optional(),
  }),
);

/** The shape of the rollouts that ended in the stored record. */
export const rolloutOutcomeSchema = tied<RolloutOutcomeRecord>()(
  z.object({
    number: z.number().int(),
    kind,
    release: z.number().int(),
    target: slotSchema,
    replaces: z.number().int().nullable().optional(),
    outcome,
    reason: z.string().optional(),
    by: z.string(),
    startedAt: z.string(),
    endedAt: z.string(),
    sha256: z.string().optional(),
    // It has a version and a digest of its own, and is kept to the letter.
    report: z.looseObject({ sha256: z.string() }).optional(),
  }),
);
