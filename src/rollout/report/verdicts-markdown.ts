import { type Example, evidenceOf } from "../../core/evidence/read.ts";
import type { Estimate, ReportedVerdict } from "../record/rollout-report.ts";
import { highestBound } from "./drawings.ts";
import { cell, code, pipes } from "./escape.ts";
import { againstText, estimateText, percent, plain } from "./numbers.ts";
import { intervalBar, sparkline } from "./text-drawings.ts";
import { verdictSeries } from "./verdict-series.ts";
import { verdictWord, whenText } from "./verdict-words.ts";

const mostExamples = 20;

/** What the gates said and what that rests on, in Markdown that is read in a terminal, too. Pure. */
export function verdictsMarkdown(verdicts: readonly ReportedVerdict[] | undefined): string[] {
  if (verdicts === undefined || verdicts.length === 0) return [];
  return [
    "## What the gates said",
    "",
    "| gate | when | verdict | looks | evidence |",
    "| - | - | - | - | - |",
    ...verdicts.map(
      (one) =>
        `| ${cell(one.gate)} | ${whenText(one)} | ${verdictWord(one)} | ${one.looks} | ${cell(one.evidence)} |`,
    ),
    "",
    ...verdicts.flatMap(details),
  ];
}

function details(one: ReportedVerdict): string[] {
  const parts = [
    ...estimates(one.estimates),
    ...lines(one),
    ...fromData(one),
    ...examples(evidenceOf(one.data).examples),
  ];
  return parts.length === 0 ? [] : [`### ${cell(one.gate)}: ${whenText(one)}`, "", ...parts];
}

function estimates(all: readonly Estimate[]): string[] {
  if (all.length === 0) return [];
  const top = highestBound(all);
  return [
    `Shares, with bounds that hold with 95 % however often somebody looks; drawn from 0 to ${percent(top)}:`,
    "",
    "| what | slot | share | | evidence against the release |",
    "| - | - | - | - | - |",
    ...all.flatMap((one) => [
      `| ${cell(one.name)} | ${one.live === null ? "" : "new"} | ${estimateText(one.new)} | ${code(intervalBar(one.new, top))} | ${againstText(one)} |`,
      ...(one.live === null
        ? []
        : [`| | live | ${estimateText(one.live)} | ${code(intervalBar(one.live, top))} | |`]),
    ]),
    "",
  ];
}

function lines(one: ReportedVerdict): string[] {
  const { shares, evidence } = verdictSeries(one);
  const all = [...shares, ...evidence];
  if (all.length === 0) return [];
  return [
    `From ${one.from} to ${one.to}:`,
    "",
    "| over time | | | from | to |",
    "| - | - | - | - | - |",
    ...all.flatMap(({ name, lines: each }) => {
      const top = Math.max(...each.flatMap(({ values }) => values.map((value) => value ?? 0)));
      const isShare = name.startsWith("Share");
      return each.map(({ name: side, values }) => {
        const known = values.filter((value) => value !== null);
        const show = (value: number | undefined) =>
          value === undefined ? "" : isShare ? percent(value) : plain(value);
        return `| ${cell(name)} | ${cell(side)} | ${code(sparkline(values, top))} | ${show(known[0])} | ${show(known.at(-1))} |`;
      });
    }),
    "",
  ];
}

function fromData(one: ReportedVerdict): string[] {
  const { distributions, series, facts } = evidenceOf(one.data);
  return [
    ...distributions.flatMap(({ name, bins }) => [
      `Distribution of ${cell(name)}:`,
      "",
      "| | new | live |",
      "| - | - | - |",
      ...bins.map(({ label, new: fresh, live }) => `| ${cell(label)} | ${plain(fresh)} | ${plain(live)} |`),
      "",
    ]),
    ...series.flatMap(({ name, lines: each }) => [
      ...each.map(({ name: side, values }) => `- ${cell(name)}, ${cell(side)}: ${code(sparkline(values))}`),
      "",
    ]),
    ...(facts.length === 0
      ? []
      : [...facts.map(({ name, value }) => `- ${cell(name)}: ${pipes(code(value))}`), ""]),
  ];
}

function examples(all: readonly { readonly name: string; readonly rows: readonly Example[] }[]): string[] {
  return all.flatMap(({ name, rows }) => {
    const shown = rows.slice(0, mostExamples);
    const columns = [...new Set(shown.flatMap((row) => Object.keys(row)))];
    return [
      `Examples (${cell(name)}), ${shown.length} of ${rows.length}:`,
      "",
      `| ${columns.map(cell).join(" | ")} |`,
      `| ${columns.map(() => "-").join(" | ")} |`,
      ...shown.map((row) => `| ${columns.map((column) => pipes(code(row[column] ?? ""))).join(" | ")} |`),
      "",
    ];
  });
}
