import { formatDuration } from "../../core/duration.ts";
import { reportedVerdict } from "../record/estimates.ts";
import type { JournalEntry } from "../record/journal-entry.ts";
import type { ReportedRelease, RolloutReport } from "../record/rollout-report.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import { cell, markdown, pipes } from "./escape.ts";
import { verdictsMarkdown } from "./verdicts-markdown.ts";

/** How a rollout ended, in words. */
export const outcomes = {
  released: "released",
  aborted: "taken back before it was live",
  "rolled-back": "taken back after it was live",
} as const;

/** A report for people. Pure. */
export function reportMarkdown(report: RolloutReport): string {
  const { model, namespace, environment, release, replaced, slot } = report;
  const where = environment === null ? namespace : `${namespace} (${environment})`;
  const rows: (readonly [string, string])[] = [
    [
      "outcome",
      `**${outcomes[report.outcome]}**${report.reason === null ? "" : `: ${markdown(report.reason)}`}`,
    ],
    ["by", markdown(report.by)],
    ["began", report.startedAt],
    ["ended", `${report.endedAt}, after ${formatDuration(report.durationMs)}`],
    ["into", slot],
    ...(release === null ? [] : releaseRows("release", release)),
    ...(replaced === null ? [] : releaseRows("instead of", replaced)),
  ];
  return [
    `# ${model} in ${where}: ${report.kind} of release ${release?.number ?? "unknown"} (rollout ${report.rollout})`,
    "",
    "| | |",
    "| - | - |",
    ...rows.map(([name, value]) => `| ${name} | ${pipes(value)} |`),
    "",
    "## What changed",
    "",
    ...(report.changes.length === 0 ? ["Nothing."] : report.changes.map((line) => `- ${markdown(line)}`)),
    "",
    ...(report.skipped.length === 0
      ? []
      : ["## Skipped on somebody's word", "", ...report.skipped.map((line) => `- ${markdown(line)}`), ""]),
    "## Phases",
    "",
    "| phase | began | took |",
    "| - | - | - |",
    ...report.phases.map(
      (one) => `| ${cell(one.phase)} | ${one.startedAt} | ${formatDuration(one.durationMs)} |`,
    ),
    "",
    ...verdictsMarkdown(report.verdicts),
    ...seen(report.journal),
    "",
    `SHA-256 of this report as canonical JSON: \`${report.sha256}\`  `,
    `of the one before it: ${report.previousSha256 === null ? "none" : `\`${report.previousSha256}\``}`,
    "",
  ].join("\n");
}

/** What was seen so far of a rollout that goes on. Pure. */
export function progressMarkdown(model: string, entry: RolloutRecordEntry): string {
  const { kind, number, state, by, startedAt, journal, verdicts = [] } = entry;
  return [
    `# ${model}: ${kind} of release ${state.release} (rollout ${number}), in the phase ${state.phase}`,
    "",
    `Begun by ${markdown(by)} at ${startedAt}.`,
    "",
    ...verdictsMarkdown(verdicts.map(reportedVerdict)),
    ...seen(journal),
  ].join("\n");
}

function seen(journal: readonly JournalEntry[]): string[] {
  return [
    "## What was seen",
    "",
    "| at | what | result | evidence |",
    "| - | - | - | - |",
    ...journal.filter(({ kind }) => kind !== "phase").map(journalRow),
  ];
}

function releaseRows(name: string, release: ReportedRelease): (readonly [string, string])[] {
  const image = release.image === null ? "your own pods" : `\`${release.image}\``;
  const digest =
    release.imageId === null || release.imageId === release.image ? "" : `, \`${release.imageId}\``;
  const parts = [
    ...(release.model === null ? [] : [`model \`${release.model}\``]),
    ...Object.entries(release.versions).map(([source, version]) => `${source} \`${version}\``),
    ...Object.entries(release.configFiles).map(([path, sha]) => `${path} sha256 \`${sha.slice(0, 12)}\``),
  ];
  return [[name, [`${release.number}: ${image}${digest}`, ...parts].join("; ")]];
}

function journalRow({ at, kind, text, result, evidence, durationMs }: JournalEntry): string {
  const what = kind === "step" ? text : `${kind}: ${text}`;
  const took = durationMs === undefined ? "" : ` in ${formatDuration(durationMs)}`;
  return `| ${at} | ${cell(what)} | ${result ?? ""}${took} | ${cell(evidence ?? "")} |`;
}
