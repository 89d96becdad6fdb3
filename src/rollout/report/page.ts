import { createHash } from "node:crypto";
import { formatDuration } from "../../core/duration.ts";
import { evidenceOf } from "../../core/evidence/read.ts";
import { reportedVerdict } from "../record/estimates.ts";
import type { JournalEntry } from "../record/journal-entry.ts";
import type { ReportedRelease, ReportedVerdict, RolloutReport } from "../record/rollout-report.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import { distributionDrawing, intervalDrawing, seriesDrawing } from "./drawings.ts";
import { html } from "./escape.ts";
import { outcomes } from "./markdown.ts";
import { againstText, estimateText, percent, plain } from "./numbers.ts";
import { pageStyle } from "./page-style.ts";
import { verdictSeries } from "./verdict-series.ts";
import { verdictWord, whenText } from "./verdict-words.ts";

/**
 * A report as one file: nothing is fetched, nothing runs, and a policy in it says so, whatever is in the answers of models. Pure.
 */
export function reportPage(report: RolloutReport): string {
  const { model, namespace, environment, release, replaced } = report;
  const where = environment === null ? namespace : `${namespace} (${environment})`;
  const title = `${model} in ${where}: ${report.kind} of release ${release?.number ?? "unknown"} (rollout ${report.rollout})`;
  const outcome = `<span class="${report.outcome}">${outcomes[report.outcome]}</span>${report.reason === null ? "" : `: ${html(report.reason)}`}`;
  return page(title, [
    rows([
      ["outcome", outcome],
      ["by", html(report.by)],
      ["began", html(report.startedAt)],
      ["ended", `${html(report.endedAt)}, after ${formatDuration(report.durationMs)}`],
      ["into", report.slot],
      ...(release === null ? [] : [["release", releaseCell(release)] as const]),
      ...(replaced === null ? [] : [["instead of", releaseCell(replaced)] as const]),
    ]),
    "<h2>What changed</h2>",
    report.changes.length === 0 ? "<p>Nothing.</p>" : list(report.changes),
    ...(report.skipped.length === 0 ? [] : ["<h2>Skipped on somebody’s word</h2>", list(report.skipped)]),
    "<h2>Phases</h2>",
    table(
      ["phase", "began", "took"],
      report.phases.map(({ phase, startedAt, durationMs }) => [
        html(phase),
        html(startedAt),
        formatDuration(durationMs),
      ]),
    ),
    ...verdictParts(report.verdicts ?? []),
    ...journalParts(report.journal),
    "<h2>Digest</h2>",
    `<p>SHA-256 of this report as canonical JSON: <code>${html(report.sha256)}</code><br>of the one before it: ${report.previousSha256 === null ? "none" : `<code>${html(report.previousSha256)}</code>`}</p>`,
  ]);
}

/** What was seen so far of a rollout that goes on. Pure. */
export function progressPage(model: string, entry: RolloutRecordEntry): string {
  const { kind, number, state, by, startedAt, journal, verdicts = [] } = entry;
  return page(
    `${model}: ${kind} of release ${state.release} (rollout ${number}), in the phase ${state.phase}`,
    [
      `<p>Begun by ${html(by)} at ${html(startedAt)}.</p>`,
      ...verdictParts(verdicts.map(reportedVerdict)),
      ...journalParts(journal),
    ],
  );
}

function page(title: string, parts: readonly string[]): string {
  const digest = createHash("sha256").update(pageStyle).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${html(title)}</title>`,
    `<style>${pageStyle}</style>`,
    "</head>",
    "<body>",
    "<main>",
    `<h1>${html(title)}</h1>`,
    ...parts,
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** Cells are HTML already. */
function rows(all: readonly (readonly [string, string])[]): string {
  const lines = all.map(([name, value]) => `<tr><th scope="row">${html(name)}</th><td>${value}</td></tr>`);
  return `<table><tbody>${lines.join("\n")}</tbody></table>`;
}

function table(head: readonly string[], body: readonly (readonly string[])[], caption?: string): string {
  return [
    '<div class="scroll"><table>',
    ...(caption === undefined ? [] : [`<caption>${html(caption)}</caption>`]),
    `<thead><tr>${head.map((name) => `<th scope="col">${html(name)}</th>`).join("")}</tr></thead>`,
    "<tbody>",
    ...body.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`),
    "</tbody></table></div>",
  ].join("\n");
}

function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${html(line)}</li>`).join("\n")}</ul>`;
}

function releaseCell(release: ReportedRelease): string {
  const image = release.image === null ? "your own pods" : `<code>${html(release.image)}</code>`;
  const parts = [
    ...(release.imageId === null || release.imageId === release.image
      ? []
      : [`<code>${html(release.imageId)}</code>`]),
    ...(release.model === null ? [] : [`model <code>${html(release.model)}</code>`]),
    ...Object.entries(release.versions).map(
      ([name, version]) => `${html(name)} <code>${html(version)}</code>`,
    ),
    ...Object.entries(release.configFiles).map(
      ([path, sha]) => `${html(path)} sha256 <code>${html(sha.slice(0, 12))}</code>`,
    ),
  ];
  return [`${release.number}: ${image}`, ...parts].join("; ");
}

function verdictParts(verdicts: readonly ReportedVerdict[]): string[] {
  if (verdicts.length === 0) return [];
  return [
    "<h2>What the gates said</h2>",
    table(
      ["gate", "when", "verdict", "looks", "evidence"],
      verdicts.map((one) => [
        html(one.gate),
        html(whenText(one)),
        `<span class="${one.verdict}">${verdictWord(one)}</span>`,
        String(one.looks),
        html(one.evidence),
      ]),
    ),
    ...verdicts.flatMap((one, index) => details(one, `v${index}`)),
  ];
}

function details(one: ReportedVerdict, id: string): string[] {
  const { examples, distributions, series, facts } = evidenceOf(one.data);
  const own = verdictSeries(one);
  const time = (place: number) => `${new Date(place).toISOString().slice(11, 19)} UTC`;
  const parts = [
    ...estimateParts(one, id),
    ...own.shares.map((line, index) =>
      seriesDrawing(`${id}-s${index}`, line, { value: percent, place: time }),
    ),
    ...own.evidence.map((line, index) => {
      const name = line.name.slice(line.name.indexOf(": ") + 2);
      const limit = one.estimates.find((estimate) => estimate.name === name)?.against?.sendsBackAt;
      const form = { value: plain, place: time, ...(limit === undefined ? {} : { mark: Math.log(limit) }) };
      return seriesDrawing(`${id}-e${index}`, { ...line, name: `${line.name} (natural logarithm)` }, form);
    }),
    ...distributions.flatMap((one, index) => [
      distributionDrawing(`${id}-d${index}`, one),
      table(
        ["bin", "new", "live"],
        one.bins.map(({ label, new: fresh, live }) => [html(label), plain(fresh), plain(live)]),
        one.name,
      ),
    ]),
    ...series.map((one, index) => seriesDrawing(`${id}-l${index}`, one, { value: plain, place: plain })),
    ...examples.map(({ name, rows: all }) => {
      const columns = [...new Set(all.flatMap((row) => Object.keys(row)))];
      return table(
        columns,
        all.map((row) => columns.map((column) => `<pre>${html(row[column] ?? "")}</pre>`)),
        `Examples: ${name}`,
      );
    }),
    ...(facts.length === 0
      ? []
      : [rows(facts.map(({ name, value }) => [name, `<code>${html(value)}</code>`] as const))]),
  ];
  return parts.length === 0 ? [] : [`<h3>${html(one.gate)}: ${html(whenText(one))}</h3>`, ...parts];
}

function estimateParts({ estimates }: ReportedVerdict, id: string): string[] {
  if (estimates.length === 0) return [];
  return [
    intervalDrawing(`${id}-i`, estimates),
    table(
      ["what", "new", "live", "evidence against the release"],
      estimates.map((one) => [
        html(one.name),
        html(estimateText(one.new)),
        html(estimateText(one.live)),
        html(againstText(one)),
      ]),
      "Shares with bounds that hold with 95 %, however often somebody looks",
    ),
  ];
}

function journalParts(journal: readonly JournalEntry[]): string[] {
  return [
    "<h2>What was seen</h2>",
    table(
      ["at", "what", "result", "evidence"],
      journal
        .filter(({ kind }) => kind !== "phase")
        .map(({ at, kind, text, result, evidence, durationMs }) => [
          html(at),
          html(kind === "step" ? text : `${kind}: ${text}`),
          `${result ?? ""}${durationMs === undefined ? "" : ` in ${formatDuration(durationMs)}`}`,
          html(evidence ?? ""),
        ]),
    ),
  ];
}
