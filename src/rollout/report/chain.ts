import { isFields } from "../../core/fields.ts";
import { digestOf } from "../record/report.ts";
import type { RolloutReport } from "../record/rollout-report.ts";
import { keptOutcomes, type RolloutOutcomeRecord } from "../record/rollouts.ts";

/** What is wrong with reports, in words, with a code for programs. */
export interface ChainProblem {
  readonly code: "report-changed" | "report-chain-broken" | "report-chain-unknown";
  readonly message: string;
}

/** Whether the reports in the record are as they were written, and each names the one before it. */
export interface ChainCheck {
  /** Reports whose digest was computed again. */
  readonly reports: number;
  /** Those that name the digest of the one before, which the record knows. */
  readonly links: number;
  readonly problems: readonly ChainProblem[];
}

/** Pure. */
export function checkChain(rollouts: readonly RolloutOutcomeRecord[]): ChainCheck {
  const problems: ChainProblem[] = [];
  const broken = (message: string) => problems.push({ code: "report-chain-broken", message });
  let reports = 0;
  let links = 0;
  let before: RolloutOutcomeRecord | undefined;
  for (const outcome of rollouts) {
    const { number, sha256, report } = outcome;
    if (report !== undefined) {
      reports += 1;
      if (digestOf(report) !== report.sha256)
        broken(`The report of rollout ${number} in the record was changed: its SHA-256 is another one.`);
      else if (report.sha256 !== sha256)
        broken(`The history has another SHA-256 of rollout ${number} than its report.`);
      if (before !== undefined) {
        if (report.previousSha256 === before.sha256) links += 1;
        else
          broken(
            `The report of rollout ${number} does not follow that of rollout ${before.number}: one of them was changed, or one between them is missing.`,
          );
      } else if (report.previousSha256 !== null && rollouts.length < keptOutcomes)
        broken(
          `What was before the report of rollout ${number} is not in the record any more, and nobody but a hand removes that.`,
        );
    }
    if (sha256 !== undefined) before = outcome;
  }
  return { reports, links, problems };
}

/** The same, and whether this report is the one that the record knows. Pure. */
export function checkInChain(
  report: Pick<RolloutReport, "model" | "namespace" | "rollout" | "sha256">,
  record: {
    readonly model: string;
    readonly namespace: string;
    readonly rollouts: readonly RolloutOutcomeRecord[];
  },
): ChainCheck {
  const chain = checkChain(record.rollouts);
  const also = (code: ChainProblem["code"], message: string): ChainCheck => ({
    ...chain,
    problems: [...chain.problems, { code, message }],
  });
  if (report.model !== record.model || report.namespace !== record.namespace) {
    return also(
      "report-chain-broken",
      `The report is of ${report.model} in ${report.namespace}, and the record is of ${record.model} in ${record.namespace}.`,
    );
  }
  const known = record.rollouts.find(({ number }) => number === report.rollout);
  if (known?.sha256 !== undefined) {
    return known.sha256 === report.sha256
      ? chain
      : also(
          "report-chain-broken",
          `The record has another report of rollout ${report.rollout}, with the SHA-256 ${known.sha256}.`,
        );
  }
  const oldest = record.rollouts.find(({ sha256 }) => sha256 !== undefined)?.number;
  return also(
    "report-chain-unknown",
    oldest !== undefined && oldest > report.rollout
      ? `The record goes back to rollout ${oldest} only: whether rollout ${report.rollout} is in its chain cannot be told.`
      : `The record knows no report of rollout ${report.rollout}.`,
  );
}

/** A report that was read from a file; `undefined`: it is none. Pure. */
export function asReport(value: unknown): RolloutReport | undefined {
  if (!isFields(value)) return undefined;
  const { type, model, namespace, rollout, sha256 } = value;
  const isOne =
    type === "rollout-report" &&
    typeof model === "string" &&
    typeof namespace === "string" &&
    typeof rollout === "number" &&
    typeof sha256 === "string";
  // What is read of it besides is only shown.
  return isOne ? (value as unknown as RolloutReport) : undefined;
}
