import type { Check } from "./check.ts";

const marks: Readonly<Record<Check["state"], string>> = {
  ok: "ok",
  warning: "warning",
  failed: "FAILED",
  skipped: "skipped",
};

/** The checks for people, each with what to do about it. */
export function checkLines(checks: readonly Check[]): string[] {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const indent = " ".repeat(9 + width + 2);
  const lines = checks.flatMap((check) => {
    const [first = "", ...rest] = check.detail.split("\n");
    return [
      `${marks[check.state].padEnd(9)}${check.title.padEnd(width)}  ${first}`,
      ...rest.map((line) => `${indent}${line}`),
      ...(check.hint === undefined || check.hint === "" ? [] : [`${indent}→ ${check.hint}`]),
    ];
  });
  const count = (state: Check["state"]) => checks.filter((check) => check.state === state).length;
  return [
    ...lines,
    "",
    `${count("failed")} failed, ${count("warning")} warnings, ${count("ok")} ok, ${count("skipped")} skipped.`,
  ];
}
