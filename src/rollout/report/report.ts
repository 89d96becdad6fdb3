import { createHash } from "node:crypto";
import type { Outcome, RolloutKind, RolloutPlan } from "../../core/rollout/state.ts";
import type { Slot } from "../../core/slots.ts";
import type { RolloutRecord } from "../record.ts";
import type { JournalEntry, RolloutRecordEntry } from "../record-rollouts.ts";
import { canonicalJson } from "./canonical-json.ts";

/** Version of the report's shape. */
export const reportVersion = 1;

/** What a release is made of, as far as a report tells it. Never the values of variables. */
export interface ReportedRelease {
  readonly number: number;
  readonly image: string | null;
  /** As the node names it, mostly with its digest; `null`: not seen yet. */
  readonly imageId: string | null;
  readonly model: string | null;
  /** Versions of the Secrets and ConfigMaps that it refers to. */
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 of its config files by path. */
  readonly configFiles: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly by: string;
}

/** The audit record of a rollout: who, when, what changed, what was seen, how long it took, how it ended. */
export interface RolloutReport {
  readonly schemaVersion: typeof reportVersion;
  readonly type: "rollout-report";
  readonly model: string;
  readonly namespace: string;
  readonly environment: string | null;
  readonly rollout: number;
  readonly kind: RolloutKind;
  readonly slot: Slot;
  /** `null`: the record does not know it any more. */
  readonly release: ReportedRelease | null;
  /** What was live before. */
  readonly replaced: ReportedRelease | null;
  readonly changes: readonly string[];
  readonly skipped: readonly string[];
  readonly plan: RolloutPlan;
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly phases: readonly PhaseTime[];
  readonly journal: readonly JournalEntry[];
  /** Digest of the report before it: a chain in which none can be changed or left out unseen. */
  readonly previousSha256: string | null;
  /** SHA-256 in hex of the canonical JSON (RFC 8785) of all other fields. */
  readonly sha256: string;
}

export interface PhaseTime {
  readonly phase: string;
  readonly startedAt: string;
  readonly durationMs: number;
}

/** The report of a rollout that has ended. Pure. */
export function reportOf(
  record: RolloutRecord,
  entry: RolloutRecordEntry,
  about: { readonly namespace: string; readonly endedAt: string },
): RolloutReport {
  const { state, journal, plan, by, startedAt, changes, skipped } = entry;
  const previousSha256 = record.rollouts?.findLast(({ sha256 }) => sha256 !== undefined)?.sha256 ?? null;
  const report: Omit<RolloutReport, "sha256"> = {
    schemaVersion: reportVersion,
    type: "rollout-report",
    model: record.model,
    namespace: about.namespace,
    environment: record.environment,
    rollout: entry.number,
    kind: entry.kind,
    slot: state.target,
    release: reportedRelease(record, state.release) ?? null,
    replaced: entry.replaces === null ? null : (reportedRelease(record, entry.replaces) ?? null),
    changes,
    skipped,
    plan,
    by,
    startedAt,
    endedAt: about.endedAt,
    durationMs: Date.parse(about.endedAt) - Date.parse(startedAt),
    outcome: state.outcome ?? "released",
    reason: state.reason ?? null,
    phases: phaseTimes(journal, about.endedAt),
    journal,
    previousSha256,
  };
  return { ...report, sha256: digestOf(report) };
}

/** The SHA-256 that a report should have. Pure. */
export function digestOf(report: Omit<RolloutReport, "sha256"> | RolloutReport): string {
  const { sha256: _given, ...rest } = { sha256: undefined, ...report };
  return createHash("sha256").update(canonicalJson(rest)).digest("hex");
}

function reportedRelease(record: RolloutRecord, number: number): ReportedRelease | undefined {
  const found = record.releases.find((one) => one.number === number);
  if (found === undefined) return undefined;
  const { spec, imageId, createdAt, by } = found;
  return {
    number,
    image: spec.image ?? null,
    imageId: imageId ?? null,
    model: spec.model?.uri ?? null,
    versions: spec.versions ?? {},
    configFiles: Object.fromEntries(
      Object.entries(spec.configFiles ?? {}).map(([path, contents]) => [
        path,
        createHash("sha256").update(contents).digest("hex"),
      ]),
    ),
    createdAt,
    by,
  };
}

function phaseTimes(journal: readonly JournalEntry[], endedAt: string): PhaseTime[] {
  const begun = journal.filter(({ kind }) => kind === "phase");
  return begun.map(({ at, text }, index) => ({
    phase: text,
    startedAt: at,
    durationMs: Date.parse(begun[index + 1]?.at ?? endedAt) - Date.parse(at),
  }));
}
