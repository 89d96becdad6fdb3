import { type Slot, slots } from "../src/core/slots.ts";
import type { DemoReport } from "./report.ts";

const width = 960;
const left = 52;
const right = 12;
const plotWidth = width - left - right;

/** Makes any text safe inside HTML and SVG. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

interface Column {
  readonly fromMs: number;
  readonly toMs: number;
  readonly perSecond: Readonly<Record<Slot, number>>;
  readonly failed: number;
  readonly maximumLatencyMs: number;
}

/** The timeline in at most some hundred columns, so that a long run stays a small page. */
export function columnsOf(report: DemoReport, most = 240): Column[] {
  const { timeline, durationMs } = report.load;
  const perColumn = Math.max(1, Math.ceil(timeline.buckets.length / most));
  const columns: Column[] = [];
  for (let index = 0; index < timeline.buckets.length; index += perColumn) {
    const buckets = timeline.buckets.slice(index, index + perColumn);
    const fromMs = index * timeline.bucketMs;
    const toMs = Math.max(fromMs + 1, Math.min(durationMs, (index + buckets.length) * timeline.bucketMs));
    const rate = (slot: Slot) => {
      const version = report.slots[slot].version;
      const answers = buckets.reduce((sum, bucket) => sum + (bucket.answers[version] ?? 0), 0);
      // The last interval may be cut short: it is not counted as if it were whole.
      return (answers * 1000) / Math.max(timeline.bucketMs / 2, toMs - fromMs);
    };
    columns.push({
      fromMs,
      toMs,
      perSecond: { blue: rate("blue"), green: rate("green") },
      failed: buckets.reduce((sum, bucket) => sum + bucket.failed, 0),
      maximumLatencyMs: Math.max(0, ...buckets.map((bucket) => bucket.maximumLatencyMs)),
    });
  }
  return columns;
}

/** A round number at or above a value, for the end of an axis. */
export function niceCeiling(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  const step = [1, 1.5, 2, 3, 4, 5, 7.5, 10].find((candidate) => candidate * magnitude >= value) ?? 10;
  return step * magnitude;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

interface Plot {
  readonly top: number;
  readonly height: number;
  readonly highest: number;
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
}

function plot(report: DemoReport, top: number, height: number, highest: number): Plot {
  const durationMs = Math.max(1, report.load.durationMs);
  return {
    top,
    height,
    highest,
    x: (ms) => left + (Math.min(Math.max(ms, 0), durationMs) / durationMs) * plotWidth,
    y: (value) => top + height - (Math.min(value, highest) / highest) * height,
  };
}

function axes(area: Plot, report: DemoReport, unit: string): string {
  const parts: string[] = [];
  for (const share of [0, 0.5, 1]) {
    const value = area.highest * share;
    const y = round(area.y(value));
    parts.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>`);
    parts.push(
      `<text class="tick" x="${left - 8}" y="${y}" dy="0.32em" text-anchor="end">${round(value)}</text>`,
    );
  }
  parts.push(`<text class="unit" x="${left}" y="${area.top - 8}">${escapeText(unit)}</text>`);
  const stepMs =
    [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000].find(
      (candidate) => report.load.durationMs / candidate <= 10,
    ) ?? 1_800_000;
  for (let at = 0; at <= report.load.durationMs; at += stepMs) {
    const x = round(area.x(at));
    parts.push(
      `<text class="tick" x="${x}" y="${area.top + area.height + 16}" text-anchor="middle">${at / 1000} s</text>`,
    );
  }
  return parts.join("");
}

function switchBands(area: Plot, report: DemoReport, withLabels: boolean): string {
  return report.switches
    .map((one) => {
      const from = area.x(one.startedAtMs);
      const to = Math.max(from + 1, area.x(one.endedAtMs));
      const title = `switch ${one.to}: ${(one.totalMs / 1000).toFixed(2)} s`;
      const band = `<rect class="band" x="${round(from)}" y="${area.top}" width="${round(to - from)}" height="${area.height}"><title>${title}</title></rect>`;
      const label = withLabels
        ? `<text class="switch" x="${round((from + to) / 2)}" y="${area.top - 8}" text-anchor="middle">switch ${one.to}</text>`
        : "";
      return band + label;
    })
    .join("");
}

/** Answers per second by slot, stacked, with the switches and the failures. */
export function trafficChart(report: DemoReport): string {
  const columns = columnsOf(report);
  const peak = Math.max(
    report.load.ratePerSecond,
    ...columns.map(({ perSecond }) => perSecond.blue + perSecond.green),
  );
  // A burst after a stall is cut off rather than flattening everything else.
  const area = plot(report, 26, 200, niceCeiling(Math.min(peak, report.load.ratePerSecond * 1.6)));
  const areas = slots.map((slot) => {
    const base = (column: Column) => (slot === "blue" ? 0 : column.perSecond.blue);
    const top = columns.flatMap((column) => {
      const y = round(area.y(base(column) + column.perSecond[slot]));
      return [`${round(area.x(column.fromMs))},${y}`, `${round(area.x(column.toMs))},${y}`];
    });
    const bottom = columns
      .flatMap((column) => {
        const y = round(area.y(base(column)));
        return [`${round(area.x(column.fromMs))},${y}`, `${round(area.x(column.toMs))},${y}`];
      })
      .reverse();
    return `<polygon class="area ${slot}" points="${[...top, ...bottom].join(" ")}"/>`;
  });
  const failures = columns
    .filter(({ failed }) => failed > 0)
    .map(
      ({ fromMs, failed }) =>
        `<circle class="failure" cx="${round(area.x(fromMs))}" cy="${area.top + 10}" r="4"><title>${failed} failed</title></circle>`,
    );
  return svg(
    254,
    "Answers per second by slot over time",
    switchBands(area, report, true) + axes(area, report, "answers/s") + areas.join("") + failures.join(""),
  );
}

/** The longest latency of each interval: what the unluckiest client saw. */
export function latencyChart(report: DemoReport): string {
  const columns = columnsOf(report);
  const peak = Math.max(1, ...columns.map(({ maximumLatencyMs }) => maximumLatencyMs));
  const area = plot(report, 26, 110, niceCeiling(peak));
  const points = columns
    .filter(({ maximumLatencyMs }) => maximumLatencyMs > 0)
    .map(({ fromMs, toMs, maximumLatencyMs }) => {
      return `${round(area.x((fromMs + toMs) / 2))},${round(area.y(maximumLatencyMs))}`;
    });
  return svg(
    164,
    "Longest latency over time",
    `${switchBands(area, report, false)}${axes(area, report, "longest latency, ms")}<polyline class="latency" points="${points.join(" ")}"/>`,
  );
}

function svg(height: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(label)}">${content}</svg>`;
}
