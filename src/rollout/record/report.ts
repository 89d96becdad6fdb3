import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import { reportedVerdict } from "./estimates.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { RolloutRecord } from "./record.ts";
import { type PhaseTime, type ReportedRelease, type RolloutReport, reportVersion } from "./rollout-report.ts";
import type { RolloutRecordEntry } from "./rollouts.ts";

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
    verdicts: (entry.verdicts ?? []).map(reportedVerdict),
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
