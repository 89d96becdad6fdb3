import { type Fields, isFields } from "../fields.ts";
import type { Block } from "../statistics/block.ts";

/** Events among requests, with the evidence against the release where a test goes with it. */
export interface Comparison {
  readonly name: string;
  readonly new: Counts;
  /** `undefined`: the slots are compared request by request, and live has no count of its own. */
  readonly live: Counts | undefined;
  /** Natural logarithm of the evidence against the release. */
  readonly lnFail: number | undefined;
  /** The chance to send a good release back that this one test has. */
  readonly alpha: number | undefined;
}

export interface Counts {
  readonly events: number;
  readonly requests: number;
}

/** Cells of one example by column. */
export type Example = Readonly<Record<string, string>>;

/** How often each bin was seen in both slots. */
export interface Distribution {
  readonly name: string;
  readonly bins: readonly { readonly label: string; readonly new: number; readonly live: number }[];
}

/** Named lines over the same places. */
export interface Series {
  readonly name: string;
  /** What the places are: `at`, or the number of the entry. */
  readonly places: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** The evidence of a gate, by what it looks like: gates of any kind are drawn without being known here. */
export interface Evidence {
  readonly comparisons: readonly Comparison[];
  readonly examples: readonly { readonly name: string; readonly rows: readonly Example[] }[];
  readonly distributions: readonly Distribution[];
  readonly series: readonly Series[];
  /** Everything else. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Reads a verdict's data. What has `newEvents, newRequests, liveEvents, liveRequests` is a comparison, and so is `differing` among `pairs`;
 * entries with `why`, or with `live` and `new`, are examples; with numbers in both, bins of a distribution; lists of numbers, and of entries with `at`, are series. Pure.
 */
export function evidenceOf(data: Readonly<Record<string, unknown>> = {}): Evidence {
  const found: Found = { comparisons: [], examples: [], distributions: [], series: [], facts: [] };
  const pairs = pairsOf("answers that differ", data);
  if (pairs !== undefined) found.comparisons.push(pairs);
  for (const [key, value] of Object.entries(data)) read(found, key, value, 0);
  return found;
}

interface Found {
  readonly comparisons: Comparison[];
  readonly examples: { readonly name: string; readonly rows: readonly Example[] }[];
  readonly distributions: Distribution[];
  readonly series: Series[];
  readonly facts: { readonly name: string; readonly value: string }[];
}

const deepest = 5;

function read(found: Found, name: string, value: unknown, depth: number): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) readList(found, name, value, depth);
  else if (isFields(value)) readFields(found, name, value, depth);
  else found.facts.push({ name, value: String(value) });
}

function readFields(found: Found, name: string, value: Fields, depth: number): void {
  const block = blockOf(value) ?? blockOf(value.inAll) ?? blockOf(value.block);
  if (block !== undefined) {
    found.comparisons.push({
      name: ownName(value, name),
      new: { events: block.newEvents, requests: block.newRequests },
      live: { events: block.liveEvents, requests: block.liveRequests },
      ...testOf(value),
    });
    return;
  }
  const pairs = pairsOf(ownName(value, name), value);
  if (pairs !== undefined) found.comparisons.push(pairs);
  if (depth >= deepest) {
    found.facts.push({ name, value: JSON.stringify(value) });
    return;
  }
  for (const [key, field] of Object.entries(value)) read(found, `${name}.${key}`, field, depth + 1);
}

function ownName(value: Fields, name: string): string {
  return typeof value.name === "string" ? value.name : name;
}

/** The test that goes with counts: its limit is 1/alpha, or its logarithm is there. */
function testOf({ lnFail, alpha, lnFailLimit }: Fields): Pick<Comparison, "lnFail" | "alpha"> {
  const own = typeof lnFailLimit === "number" ? Math.exp(-lnFailLimit) : alpha;
  return {
    lnFail: typeof lnFail === "number" ? lnFail : undefined,
    alpha: typeof own === "number" && own > 0 && own < 1 ? own : undefined,
  };
}

/** The same inputs for both slots, and how many answers differed. */
function pairsOf(name: string, value: Fields): Comparison | undefined {
  const { pairs, differing = value.disagreements } = value;
  if (typeof pairs !== "number" || typeof differing !== "number") return undefined;
  return { name, new: { events: differing, requests: pairs }, live: undefined, ...testOf(value) };
}

function readList(found: Found, name: string, list: readonly unknown[], depth: number): void {
  const entries = list.filter(isFields);
  if (list.length === 0) return;
  if (entries.length === list.length) {
    const series = seriesOf(name, entries);
    const bins = binsOf(entries);
    if (series !== undefined) found.series.push(series);
    else if (bins !== undefined) found.distributions.push({ name, bins });
    else if (entries.every(isExample)) found.examples.push({ name, rows: entries.map(exampleOf) });
    else {
      for (const [index, entry] of entries.entries()) {
        const own = typeof entry.name === "string" ? entry.name : String(index + 1);
        readFields(found, `${name}.${own}`, entry, depth + 1);
      }
    }
    return;
  }
  if (list.length > 2 && list.every((one) => typeof one === "number")) {
    found.series.push({ name, places: list.map((_, index) => index + 1), lines: [{ name, values: list }] });
    return;
  }
  found.facts.push({ name, value: list.map(textOf).join("; ") });
}

function blockOf(value: unknown): Block | undefined {
  if (!isFields(value)) return undefined;
  const { newEvents, newRequests, liveEvents, liveRequests } = value;
  const isCount = (one: unknown): one is number => typeof one === "number" && one >= 0;
  return isCount(newEvents) && isCount(newRequests) && isCount(liveEvents) && isCount(liveRequests)
    ? { newEvents, newRequests, liveEvents, liveRequests }
    : undefined;
}

/** What gates call the new release's side. */
const newNames = ["new", "release", "candidate"];

function isExample(entry: Fields): boolean {
  return "why" in entry || ("live" in entry && newNames.some((name) => name in entry)) || "expected" in entry;
}

function exampleOf(entry: Fields): Example {
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, textOf(value)]));
}

function binsOf(entries: readonly Fields[]): Distribution["bins"] | undefined {
  const bins = entries.map((entry, index) => {
    const fresh = newNames.map((name) => entry[name]).find((value) => typeof value === "number");
    const { live } = entry;
    const label = entry.label ?? entry.bin ?? entry.name ?? entry.le ?? index + 1;
    return typeof live === "number" && typeof fresh === "number"
      ? { label: textOf(label), new: fresh, live }
      : undefined;
  });
  const known = bins.flatMap((one) => one ?? []);
  return known.length === entries.length && entries.every((entry) => !("why" in entry)) ? known : undefined;
}

function seriesOf(name: string, entries: readonly Fields[]): Series | undefined {
  const places = entries.map(({ at }) => (typeof at === "string" ? Date.parse(at) : at));
  if (entries.length < 2 || !places.every((place) => typeof place === "number" && Number.isFinite(place)))
    return undefined;
  const names = [...new Set(entries.flatMap((entry) => Object.keys(entry)))].filter(
    (key) => key !== "at" && entries.some((entry) => typeof entry[key] === "number"),
  );
  if (names.length === 0) return undefined;
  const lines = names.map((key) => ({
    name: key,
    values: entries.map((entry) => (typeof entry[key] === "number" ? entry[key] : null)),
  }));
  return { name, places: places as number[], lines };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
