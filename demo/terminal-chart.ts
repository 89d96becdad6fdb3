import type { Colors } from "../src/cli/output/colors.ts";
import { type Slot, slots } from "../src/core/slots.ts";
import type { DemoReport } from "./report.ts";

const blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Which version answered when: one row of bars per slot, one for failures, and the switches below. */
export function terminalChart(report: DemoReport, colors: Colors, width: number): string[] {
  const { timeline, durationMs } = report.load;
  const labels = slots.map((slot) => `${slot} (${report.slots[slot].version})`);
  const margin = Math.max(...labels.map((label) => label.length), "switches".length) + 1;
  const columns = Math.max(20, Math.min(120, width - margin - 2));
  const columnMs = Math.max(timeline.bucketMs, durationMs / columns);
  const used = Math.max(1, Math.ceil(durationMs / columnMs));
  const answers: Record<Slot, number[]> = { blue: new Array(used).fill(0), green: new Array(used).fill(0) };
  const failed: number[] = new Array(used).fill(0);
  for (const [index, bucket] of timeline.buckets.entries()) {
    const column = Math.min(used - 1, Math.floor((index * timeline.bucketMs) / columnMs));
    for (const slot of slots) {
      const count = bucket.answers[report.slots[slot].version] ?? 0;
      answers[slot][column] = (answers[slot][column] ?? 0) + count;
    }
    failed[column] = (failed[column] ?? 0) + bucket.failed;
  }
  const expected = Math.max(1, (report.load.ratePerSecond * columnMs) / 1000);
  const bar = (count: number) =>
    blocks[count === 0 ? 0 : Math.max(1, Math.min(8, Math.round((count / expected) * 8)))] ?? " ";
  const paint: Record<Slot, (text: string) => string> = { blue: colors.blue, green: colors.green };
  const rows = slots.map(
    (slot, index) => `${(labels[index] ?? "").padEnd(margin)}${paint[slot](answers[slot].map(bar).join(""))}`,
  );
  const anyFailed = failed.some((count) => count > 0);
  const failures = failed.map((count) => (count > 0 ? "✖" : "·")).join("");
  rows.push(`${"failed".padEnd(margin)}${anyFailed ? colors.red(failures) : colors.dim(failures)}`);
  rows.push(`${"switches".padEnd(margin)}${switchRow(report, columnMs, used, colors)}`);
  rows.push(`${" ".repeat(margin)}${colors.dim(timeAxis(columnMs, used))}`);
  return rows;
}

function switchRow(report: DemoReport, columnMs: number, used: number, colors: Colors): string {
  const cells: string[] = new Array(used).fill(" ");
  for (const { startedAtMs, endedAtMs, movedAtMs } of report.switches) {
    const from = Math.max(0, Math.floor(startedAtMs / columnMs));
    const to = Math.min(used - 1, Math.floor(endedAtMs / columnMs));
    for (let column = from; column <= to; column += 1) cells[column] = "━";
    if (movedAtMs !== undefined) cells[Math.min(used - 1, Math.floor(movedAtMs / columnMs))] = "▲";
  }
  return colors.yellow(cells.join("").trimEnd());
}

function timeAxis(columnMs: number, used: number): string {
  const line: string[] = new Array(used).fill(" ");
  const stepMs = [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000].find(
    (candidate) => candidate / columnMs >= 8,
  );
  if (stepMs === undefined) return "";
  for (let at = 0; Math.floor(at / columnMs) < used; at += stepMs) {
    const text = `${at / 1000} s`;
    const start = Math.floor(at / columnMs);
    if (start + text.length > used) break;
    for (const [offset, character] of [...text].entries()) line[start + offset] = character;
  }
  return line.join("").trimEnd();
}
