import type { Distribution, Series } from "../../core/evidence/read.ts";
import type { Estimate } from "../record/rollout-report.ts";
import { html } from "./escape.ts";
import { percent, plain } from "./numbers.ts";

/** One drawing; `id` is unique on its page. Colours are the page's classes, so that it follows light and dark. */
const width = 640;
const left = 150;
const right = 24;

interface Frame {
  readonly id: string;
  /** Stands above it, too. */
  readonly title: string;
  /** What it shows, in words. */
  readonly about: string;
  readonly height: number;
}

function svg({ id, title, about, height }: Frame, parts: readonly string[]): string {
  return [
    "<figure>",
    `<figcaption>${html(title)}</figcaption>`,
    `<svg class="drawing" role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title id="${id}-t">${html(title)}</title>`,
    `<desc id="${id}-d">${html(about)}</desc>`,
    ...parts,
    "</svg>",
    "</figure>",
  ].join("\n");
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end" = "start"): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" font-size="12" fill="currentColor">${html(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="currentColor"/>`;
}

function at(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The next of 1, 2, 5, 10, … times a power of ten: an axis ends there. Pure. */
export function niceCeiling(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

function short(name: string): string {
  const characters = [...name];
  return characters.length <= 22 ? name : `${characters.slice(0, 21).join("")}…`;
}

type Side = Estimate["live"];

/** The highest bound of all that is known, at most 1: a scale ends behind it. Pure. */
export function highestBound(estimates: readonly Estimate[]): number {
  const sides = estimates.flatMap((one): Side[] => [one.new, one.live]);
  const highs = sides.map((side) => (side === null || side.share === null ? 0 : side.high));
  return niceCeiling(Math.min(1, Math.max(0, ...highs)));
}

/** Shares of both slots with their bounds, one under the other. Pure. */
export function intervalDrawing(id: string, estimates: readonly Estimate[]): string {
  const top = highestBound(estimates);
  const x = (share: number) => left + (Math.min(share, top) / top) * (width - left - right);
  const height = 20 + estimates.length * 44 + 24;
  const rows = estimates.flatMap((one, index) => {
    const y = 28 + index * 44;
    const bar = (slot: "new" | "live", dy: number) => {
      const side = one[slot];
      if (side === null) return [];
      const { share, low, high } = side;
      if (share === null) return [text(left + 4, y + dy + 4, `${slot}: no request`)];
      return [
        line(x(low), y + dy, x(high), y + dy, `${slot} bounds`),
        slot === "new"
          ? `<circle class="new mark" cx="${at(x(share))}" cy="${at(y + dy)}" r="5" fill="currentColor"/>`
          : `<rect class="live mark" x="${at(x(share) - 4)}" y="${at(y + dy - 4)}" width="8" height="8" fill="currentColor"/>`,
      ];
    };
    return [text(4, y + 10, short(one.name)), ...bar("new", 0), ...bar("live", 16)];
  });
  const base = height - 22;
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
    line(x(part * top), 14, x(part * top), base, "grid"),
    text(x(part * top), base + 16, percent(part * top), part === 1 ? "end" : "middle"),
  ]);
  const of = (slot: string, side: Side) =>
    side === null
      ? []
      : [
          side.share === null
            ? `${slot} unknown`
            : `${slot} ${percent(side.share)} between ${percent(side.low)} and ${percent(side.high)}`,
        ];
  const about = estimates
    .map(({ name, new: fresh, live }) => `${name}: ${[...of("new", fresh), ...of("live", live)].join(", ")}`)
    .join("; ");
  return svg({ id, title: "Shares of events with their bounds: ● new, ■ live", about, height }, [
    ...ticks,
    ...rows,
  ]);
}

const dashes = ["none", "6 4", "2 3", "8 3 2 3"] as const;
const kinds = ["new", "live", "third", "fourth"] as const;

/** Lines over time, or over the number of the entry. Pure. */
export function seriesDrawing(
  id: string,
  { name, places, lines }: Series,
  form: {
    readonly value: (value: number) => string;
    readonly place: (place: number) => string;
    readonly mark?: number;
  },
): string {
  const shown = lines.slice(0, kinds.length);
  const values = shown.flatMap((one) => one.values.filter((value) => value !== null));
  if (form.mark !== undefined) values.push(form.mark);
  const lowest = Math.min(0, ...values);
  const bottom = lowest < 0 ? -niceCeiling(-lowest) : 0;
  const top = niceCeiling(Math.max(...values, bottom === 0 ? 1e-9 : 0));
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const height = 190;
  const [high, base] = [14, 150];
  const x = (place: number) => 70 + ((place - first) / (last - first || 1)) * (width - 70 - right);
  const y = (value: number) => base - ((value - bottom) / (top - bottom || 1)) * (base - high);
  const grid = [bottom, (bottom + top) / 2, top].flatMap((value) => [
    line(70, y(value), width - right, y(value), "grid"),
    text(64, y(value) + 4, form.value(value), "end"),
  ]);
  const drawn = shown.map(({ values: own }, index) => {
    const points = own.flatMap((value, place) =>
      value === null ? [] : [`${at(x(places[place] ?? first))},${at(y(value))}`],
    );
    return `<polyline class="${kinds[index]} curve" points="${points.join(" ")}" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="${dashes[index]}"/>`;
  });
  const mark =
    form.mark === undefined
      ? []
      : [
          line(70, y(form.mark), width - right, y(form.mark), "limit"),
          text(width - right, y(form.mark) - 4, "sends it back", "end"),
        ];
  const legend = shown.flatMap(({ name: own }, index) => [
    `<line class="${kinds[index]} curve" x1="${70 + index * 140}" y1="${height - 6}" x2="${94 + index * 140}" y2="${height - 6}" stroke="currentColor" stroke-width="2" stroke-dasharray="${dashes[index]}"/>`,
    text(98 + index * 140, height - 2, short(own)),
  ]);
  const about = shown
    .map((one) => {
      const known = one.values.filter((value) => value !== null);
      const [begin, end] = [known[0], known.at(-1)];
      return begin === undefined || end === undefined
        ? `${one.name}: nothing`
        : `${one.name}: from ${form.value(begin)} to ${form.value(end)}, between ${form.value(Math.min(...known))} and ${form.value(Math.max(...known))}`;
    })
    .join("; ");
  return svg({ id, title: name, about, height }, [
    ...grid,
    text(70, base + 16, form.place(first)),
    text(width - right, base + 16, form.place(last), "end"),
    ...mark,
    ...drawn,
    ...legend,
  ]);
}

/** Bins of both slots beside each other, as parts of all that each slot had. Pure. */
export function distributionDrawing(id: string, { name, bins }: Distribution): string {
  const shown = bins.slice(0, 40);
  const sums = { new: sum(bins, "new"), live: sum(bins, "live") };
  const part = (bin: (typeof bins)[number], slot: "new" | "live") =>
    sums[slot] > 0 ? bin[slot] / sums[slot] : 0;
  const top = niceCeiling(Math.max(...shown.flatMap((bin) => [part(bin, "new"), part(bin, "live")])));
  const [height, high, base] = [190, 14, 150];
  const each = (width - 70 - right) / shown.length;
  const y = (share: number) => base - (Math.max(0, share) / top) * (base - high);
  const grid = [0, 0.5, 1].flatMap((one) => [
    line(70, y(one * top), width - right, y(one * top), "grid"),
    text(64, y(one * top) + 4, percent(one * top), "end"),
  ]);
  const bars = shown.flatMap((bin, index) => {
    const x = 70 + index * each;
    const bar = (slot: "new" | "live", from: number) =>
      `<rect class="${slot} bar" x="${at(x + from * each)}" y="${at(y(part(bin, slot)))}" width="${at(each * 0.4)}" height="${at(base - y(part(bin, slot)))}" fill="currentColor"/>`;
    const label = shown.length <= 12 ? [text(x + each / 2, base + 14, short(bin.label), "middle")] : [];
    return [bar("new", 0.08), bar("live", 0.52), ...label];
  });
  const legend = [
    `<rect class="new bar" x="70" y="${height - 14}" width="10" height="10" fill="currentColor"/>`,
    text(86, height - 4, `new (${plain(sums.new)})`),
    `<rect class="live bar" x="210" y="${height - 14}" width="10" height="10" fill="currentColor"/>`,
    text(226, height - 4, `live (${plain(sums.live)})`),
  ];
  const about = shown
    .map((bin) => `${bin.label}: new ${percent(part(bin, "new"))}, live ${percent(part(bin, "live"))}`)
    .join("; ");
  return svg({ id, title: `Distribution of ${name}`, about, height }, [...grid, ...bars, ...legend]);
}

function sum(bins: Distribution["bins"], slot: "new" | "live"): number {
  return bins.reduce((total, bin) => total + Math.max(0, bin[slot]), 0);
}
