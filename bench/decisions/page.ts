import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, comparedAnswers } from "./answers.ts";
import { argo, flagger, kayenta, type Rule } from "./peers.ts";
import { boundOf, type Outcome, outcomesOf, type Traffic, traffics } from "./streams.ts";

const rules: readonly (readonly [string, Rule])[] = [
  ["Flagger, threshold 1", flagger(1)],
  ["Flagger, threshold 5", flagger(5)],
  ["Argo, failureLimit 0", argo(0)],
  ["Argo, failureLimit 3", argo(3)],
  ["Kayenta", kayenta],
];
const names = [...rules.map(([name]) => name), "modelswitch"];

const page = join(import.meta.dirname, "..", "..", "docs", "statistics.md");

interface Row {
  readonly traffic: Traffic;
  readonly outcomes: readonly Outcome[];
}

/**
 * The same streams judged by modelswitch's rules and by others': prints the tables, and writes them into docs/statistics.md. From seeds
 * alone, so that every machine has the same.
 */
export function decisions(runs: number): string[] {
  const rows = traffics.map((traffic): Row => {
    const outcomes = outcomesOf(
      traffic,
      runs,
      rules.map(([, rule]) => rule),
    );
    return { traffic, outcomes };
  });
  const text = [...streamsTable(rows, runs), "", ...drawing(rows), "", ...answersTable(runs)].join("\n");
  console.log(text);
  const current = readFileSync(page, "utf8");
  writeFileSync(
    page,
    current.replace(
      /(<!-- decisions -->\n)[\s\S]*?(<!-- end -->)/,
      (_, begin, end) => `${begin}\n${text}\n\n${end}`,
    ),
  );
  return [];
}

const percent = (part: number) => {
  const value = 100 * part;
  if (value === 0) return "0";
  return `${value.toFixed(value < 0.1 ? 2 : value < 10 ? 1 : 0)} %`;
};
const thousands = (value: number) => Number(value.toPrecision(3)).toLocaleString("en-US");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [cells(head), cells(head.map(() => "---")), ...rows.map(cells)];
}

function streamsTable(rows: readonly Row[], runs: number): string[] {
  const body = rows.map(({ traffic, outcomes }) => {
    const bound = traffic.isGood ? undefined : boundOf(traffic);
    const cells = outcomes.map(({ sentBack, medianRequests }) => {
      const until = traffic.isGood || medianRequests === undefined ? "" : ` (${thousands(medianRequests)})`;
      return `${percent(sentBack)}${until}`;
    });
    return [traffic.name, ...cells, bound === undefined ? "" : thousands(bound)];
  });
  const intro = `Sent back, of ${runs.toLocaleString("en-US")} runs; in brackets the median requests of both slots until then. Last: Wald's bound.`;
  return [intro, "", ...table(["stream", ...names, "bound"], body)];
}

const barWidth = 40;

function drawing(rows: readonly Row[]): string[] {
  const bars = (of: readonly Row[]) =>
    names.map((name, index) => {
      const parts = of.map(({ outcomes }) => outcomes[index]?.sentBack ?? 0);
      const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
      return `  ${name.padEnd(21)} ${"█".repeat(Math.round(barWidth * mean)).padEnd(barWidth, "·")} ${percent(mean)}`;
    });
  return [
    "```text",
    "Good releases sent back, mean of the streams above (0 is right)",
    ...bars(rows.filter(({ traffic }) => traffic.isGood)),
    "",
    "Bad releases sent back (100 % is right)",
    ...bars(rows.filter(({ traffic }) => !traffic.isGood)),
    "```",
  ];
}

function answersTable(runs: number): string[] {
  const body = answers.map((one) => {
    const { diffy, ours } = comparedAnswers(one, Math.min(runs, 200));
    return [one.name, percent(diffy), percent(ours)];
  });
  return [
    `Answers of ten fields, some field refused, of ${Math.min(runs, 200)} runs:`,
    "",
    ...table(["answers", "Diffy", "modelswitch"], body),
  ];
}
