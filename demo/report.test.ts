import { describe, expect, test } from "vitest";
import { colorsFor } from "../src/cli/output/colors.ts";
import type { TimedEvent } from "./command.ts";
import { summary } from "./ending.ts";
import { reportPage } from "./page.ts";
import { columnsOf, niceCeiling } from "./page-charts.ts";
import { exampleReport } from "./report.fixture.ts";
import { movement, stepsOf } from "./report.ts";
import { terminalChart } from "./terminal-chart.ts";

const plain = colorsFor({ write: () => {} }, {});

describe("movement", () => {
  const timeline = (answers: readonly Record<string, number>[]) => ({
    bucketMs: 100,
    buckets: answers.map((one) => ({ answers: one, failed: 0, maximumLatencyMs: 1 })),
  });
  const only = (version: string, count: number) => Array.from({ length: count }, () => ({ [version]: 3 }));

  test("is the first answer of the other version, and how long both answered", () => {
    const both = { "1": 1, "2": 2 };
    const line = timeline([...only("1", 10), both, both, both, ...only("2", 20), ...only("1", 10)]);
    expect(movement(line, "1", "2", 300)).toEqual({ movedAtMs: 1000, overlapMs: 200 });
    expect(movement(line, "2", "1", 1500)).toEqual({ movedAtMs: 3300, overlapMs: 0 });
  });

  test("is not made up when nothing was seen", () => {
    expect(movement(timeline(only("1", 10)), "1", "2", 0)).toEqual({
      movedAtMs: undefined,
      overlapMs: undefined,
    });
  });
});

test("the steps of a switch are those of its first level, in milliseconds since the start of the load", () => {
  const at = (time: number, state: "started" | "done", id: string, parent?: string): TimedEvent => ({
    at: time,
    event: { type: "step", id, title: id, state, ...(parent === undefined ? {} : { parent }) },
  });
  const events = [
    at(1100, "started", "write"),
    at(1110, "started", "inner", "write"),
    at(1120, "done", "inner", "write"),
    at(1200, "done", "write"),
  ];
  expect(stepsOf(events, 1000)).toEqual([{ title: "write", detail: undefined, fromMs: 100, toMs: 200 }]);
});

test("the chart in the terminal shows who answered when", () => {
  const rows = terminalChart(exampleReport(), plain, 60);
  const [blue = "", green = "", failed = "", switches = ""] = rows;
  expect(blue).toMatch(/^blue \(v1\) +█+[▁-█]? +$/);
  expect(green).toMatch(/^green \(v2\) +[▁-█]?█+$/);
  expect(failed).toMatch(/^failed +·+$/);
  expect(switches).toMatch(/^switches +━+▲━*$/);
  expect(rows.every((row) => row.length <= 60)).toBe(true);
});

test("a failure is in the chart, the summary and the page", () => {
  const report = exampleReport({ failed: 2 });
  expect(terminalChart(report, plain, 80).join("\n")).toContain("✖");
  expect(summary(report, plain, 80).join("\n")).toContain("2 failed");
  expect(reportPage(report)).toContain('<h1 class="failed">2 failed');
});

test("the page needs nothing but itself, and runs nothing that answers put into it", () => {
  const report = exampleReport({ failed: 1, reason: "<script>alert(1)</script>" });
  const page = reportPage(report);
  expect(page).not.toMatch(/<script|<link|@import|url\(|src=/);
  expect(page).toContain("&#60;script&#62;");
  expect(page).not.toContain("NaN");
  expect(page).not.toContain("undefined");
});

test("a long run stays a small page", () => {
  const report = exampleReport({ seconds: 1800 });
  expect(columnsOf(report).length).toBeLessThanOrEqual(240);
  expect(reportPage(report).length).toBeLessThan(100_000);
});

test("niceCeiling", () => {
  expect([0.4, 1, 7, 26, 130, 999].map(niceCeiling)).toEqual([0.4, 1, 7.5, 30, 150, 1000]);
});
