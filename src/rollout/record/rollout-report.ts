import type { Outcome, RolloutKind, RolloutPlan } from "../../core/rollout/state.ts";
import type { Slot } from "../../core/slots.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { RecordedVerdict } from "./verdicts.ts";

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
  /** What each gate said in each phase and step, with what it rests on. Absent: an older version made the report. */
  readonly verdicts?: readonly ReportedVerdict[];
  /** Digest of the report before it: a chain in which none can be changed or left out unseen. */
  readonly previousSha256: string | null;
  /** SHA-256 in hex of the canonical JSON (RFC 8785) of all other fields. */
  readonly sha256: string;
}

/** A verdict with how sure we are of it. */
export interface ReportedVerdict extends RecordedVerdict {
  readonly estimates: readonly Estimate[];
}

/** What the counts of one comparison say. */
export interface Estimate {
  readonly name: string;
  readonly new: EstimatedShare;
  /** `null`: the slots are compared request by request, and `new` counts what differed. */
  readonly live: EstimatedShare | null;
  /**
   * Evidence against the release, as a factor; from `sendsBackAt` on it would send it back. It may be looked at as often as one likes: the
   * chance that a good release ever reaches that is at most `alpha`. `null`: the gate's test is another one.
   */
  readonly against: { readonly factor: number; readonly sendsBackAt: number; readonly alpha: number } | null;
}

/** A share of events among requests, with bounds that hold with 95 %, however often somebody looks. */
export interface EstimatedShare {
  readonly events: number;
  readonly requests: number;
  /** 0 to 1; `null`: no request. */
  readonly share: number | null;
  readonly low: number;
  readonly high: number;
}

export interface PhaseTime {
  readonly phase: string;
  readonly startedAt: string;
  readonly durationMs: number;
}
