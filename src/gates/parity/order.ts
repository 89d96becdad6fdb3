import { writeExact } from "../../core/exact-json.ts";
import { jsonAt } from "../../core/json-path.ts";
import { pairMargins } from "../../core/statistics/lines.ts";
import { inputsPerSegment, mostSegments, smallestSegment } from "../../core/statistics/segments.ts";
import type { GoldenCase } from "../cases/case.ts";

/** The segment of inputs that are of none of those that are counted by themselves. */
export const otherSegment = "other";

/** One input of the comparison: a place in the file. */
export interface Drawn {
  readonly index: number;
  /** `undefined`: no segments are looked at. */
  readonly segment: string | undefined;
  /** Whether it was drawn as traffic draws. What was drawn for a small segment counts in that segment only. */
  readonly byTraffic: boolean;
}

/** Which inputs are asked, in which order, and which segments can be judged at all: known before the first question. */
export interface Draw {
  readonly inputs: readonly Drawn[];
  /** With a verdict of their own, by name. */
  readonly judged: readonly string[];
  /** Too small to fail even where all their answers differ. */
  readonly tooSmall: readonly string[];
}

/**
 * Draws from a file that is taken for a sample of the traffic. With fewer `inputs` than the file has, small segments get inputs beside those that
 * traffic would draw. The same seed draws the same. Pure. `alpha`: the segments' own.
 */
export function drawInputs(
  segments: readonly (string | undefined)[],
  { inputs, seed, alpha }: { readonly inputs: number; readonly seed: string; readonly alpha: number },
): Draw {
  const names = counted(segments);
  const nameOf = (index: number): string | undefined => {
    if (names.length === 0) return undefined;
    const own = segments[index];
    return own !== undefined && names.includes(own) ? own : otherSegment;
  };
  const random = randomBy(seed);
  const shuffled = shuffle(
    segments.map((_, index) => index),
    random,
  );
  const all = [...new Set(shuffled.map(nameOf))].filter((name) => name !== undefined);
  const total = Math.min(inputs, segments.length);
  const least = all.length === 0 || total === segments.length ? 0 : inputsPerSegment(total, all.length);
  const traffic = shuffled.slice(0, byTraffic(shuffled.map(nameOf), all, least, total));
  const drawn: Drawn[] = traffic.map((index) => ({ index, segment: nameOf(index), byTraffic: true }));
  for (const segment of all) {
    const lack = least - drawn.filter((one) => one.segment === segment).length;
    const more = shuffled.slice(traffic.length).filter((index) => nameOf(index) === segment);
    drawn.push(...more.slice(0, Math.max(0, lack)).map((index) => ({ index, segment, byTraffic: false })));
  }
  const judged = largeEnough(drawn, all, alpha);
  return {
    inputs: shuffle(drawn, random),
    judged,
    tooSmall: all.filter((name) => !judged.includes(name)).toSorted(),
  };
}

/**
 * How many are drawn as traffic draws: as many as leave room for what small segments lack. What traffic brings of a segment counts there, too. When to stop
 * depends on segments alone, never on answers.
 */
function byTraffic(
  order: readonly (string | undefined)[],
  all: readonly string[],
  least: number,
  total: number,
): number {
  let lacking = least * all.length;
  const seen = new Map<string | undefined, number>();
  for (const [count, segment] of order.entries()) {
    if (count + lacking >= total && (seen.get(segment) ?? 0) >= least) return count;
    const times = (seen.get(segment) ?? 0) + 1;
    seen.set(segment, times);
    if (times <= least) lacking -= 1;
  }
  return Math.min(order.length, total);
}

/** Those with the most inputs; the rest together is "other". */
function counted(segments: readonly (string | undefined)[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of segments) {
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byCount = [...counts].toSorted(([a, one], [b, two]) => two - one || (a < b ? -1 : 1));
  return byCount.slice(0, mostSegments - 1).map(([name]) => name);
}

/** As many of the largest as can each fail beside the others. */
function largeEnough(drawn: readonly Drawn[], names: readonly string[], alpha: number): string[] {
  const sizes = names.map((name) => ({
    name,
    size: drawn.filter(({ segment }) => segment === name).length,
  }));
  const bySize = sizes.toSorted((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  for (let count = bySize.length; count > 0; count--) {
    const smallest = bySize[count - 1]?.size ?? 0;
    if (smallest < smallestSegment(count, alpha, pairMargins.fail)) continue;
    return bySize
      .slice(0, count)
      .map(({ name }) => name)
      .toSorted();
  }
  return [];
}

function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a === undefined || b === undefined) continue;
    shuffled[last] = b;
    shuffled[other] = a;
  }
  return shuffled;
}

/** Numbers of [0, 1) that a text decides: FNV-1a, then mulberry32. */
function randomBy(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What the input says at a path, else what the file says beside the input. */
export function segmentOf({ input, segment }: GoldenCase, path: string | undefined): string | undefined {
  if (path === undefined) return segment;
  const found = jsonAt(input, path);
  if (found === undefined || found === null) return undefined;
  return typeof found === "object" ? writeExact(found) : String(found);
}
