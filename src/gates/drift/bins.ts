import { z } from "zod";
import { isFields } from "../../core/fields.ts";
import { quantileOf } from "../../core/statistics/exceedance.ts";
import { labelled } from "../cases/compare.ts";

/**
 * What predictions are, so that they can be counted: labels by name, numbers by their deciles, texts by their length in words, embeddings by
 * how near they are to live's mean direction.
 */
export const predictionKinds = ["label", "number", "text", "embedding"] as const;
export type PredictionKind = (typeof predictionKinds)[number];

/** Bins, fixed by live's first predictions and by nothing else. */
export const binsShape = z.discriminatedUnion("by", [
  /** These, every other one, and no prediction. */
  z.object({ by: z.literal("label"), labels: z.array(z.string()).min(1) }),
  /** Up to each of these, above the last one, and no prediction. */
  z.object({
    by: z.literal("size"),
    of: z.enum(["number", "text", "embedding"]),
    upTo: z.array(z.number()).min(1),
  }),
]);
export type Bins = z.infer<typeof binsShape>;

const mostLabels = 19;
const longestLabel = 60;
/** Numbers that take so few values are classes. */
const mostClasses = 10;
/** A list that is longer than this is an embedding, a shorter one scores of classes. */
const mostScores = 64;
const longestClassName = 40;
/** Numbers of an embedding that are looked at: a direction that is known by so many is known. */
const mostDimensions = 1024;

/** What a prediction is, by one of live's. Pure. */
export function predictionKindOf(value: unknown): PredictionKind {
  if (typeof value === "number") return "number";
  if (typeof value === "string") return value.length > longestClassName ? "text" : "label";
  const vector = vectorOf(value);
  if (vector?.length === 1) return "number";
  return vector !== undefined && vector.length > mostScores ? "embedding" : "label";
}

/** Numbers of an embedding; `undefined`: it is none. Pure. */
export function vectorOf(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isVector = value.every((one) => typeof one === "number" && Number.isFinite(one));
  return isVector ? value.slice(0, mostDimensions) : undefined;
}

/** What is counted of a prediction: a name or a size; `undefined`: it is none. `mean`: live's mean direction, of embeddings. Pure. */
export function countedAs(
  kind: PredictionKind,
  value: unknown,
  mean: readonly number[] = [],
): string | number | undefined {
  switch (kind) {
    case "label": {
      if (!isFiniteAll(value)) return undefined;
      const label = labelled({ kind: "label" }, value);
      if (label === undefined || label === null) return undefined;
      return (typeof label === "string" ? label : (JSON.stringify(label) ?? "")).slice(0, longestLabel);
    }
    case "number": {
      const [one] = typeof value === "number" ? [value] : (vectorOf(value) ?? []);
      return one !== undefined && Number.isFinite(one) ? one : undefined;
    }
    case "text":
      return typeof value === "string" ? value.split(/\s+/).filter((word) => word !== "").length : undefined;
    case "embedding": {
      const vector = vectorOf(value);
      return vector === undefined ? undefined : cosine(vector, mean);
    }
  }
}

/** Infinities and NaN, also as texts, are no predictions. */
function isFiniteAll(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return !/^[-+]?(nan|inf|infinity)$/i.test(value);
  if (Array.isArray(value)) return value.every(isFiniteAll);
  return isFields(value) ? Object.values(value).every(isFiniteAll) : true;
}

function cosine(one: readonly number[], other: readonly number[]): number | undefined {
  if (one.length !== other.length) return undefined;
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  const lengths = Math.sqrt(dot(one, one)) * Math.sqrt(dot(other, other));
  return lengths === 0 ? undefined : dot(one, other) / lengths;
}

/**
 * Bins by live's first predictions: the most frequent labels, or the deciles, of which those that are equal are one. Numbers of few values are
 * labels. Pure.
 */
export function binsOf(kind: PredictionKind, first: readonly (string | number)[]): Bins {
  const isOfClasses = kind === "number" && new Set(first).size <= mostClasses;
  if (kind === "label" || isOfClasses) {
    const counts = new Map<string, number>();
    for (const one of first) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
    const byCount = [...counts].toSorted(([a, one], [b, two]) => two - one || (a < b ? -1 : 1));
    return { by: "label", labels: byCount.slice(0, mostLabels).map(([label]) => label) };
  }
  const sorted = first.map(Number).toSorted((a, b) => a - b);
  const tenths = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((tenth) => quantileOf(sorted, tenth / 10) ?? []);
  return { by: "size", of: kind, upTo: [...new Set(tenths)] };
}

/** How many there are. Pure. */
export function binCount(bins: Bins): number {
  return (bins.by === "label" ? bins.labels.length : bins.upTo.length) + 2;
}

/** The bin of a prediction; of none the last one. Pure. */
export function binOf(bins: Bins, counted: string | number | undefined): number {
  const none = binCount(bins) - 1;
  if (counted === undefined) return none;
  const found =
    bins.by === "label"
      ? bins.labels.indexOf(String(counted))
      : bins.upTo.findIndex((upTo) => Number(counted) <= upTo);
  return found < 0 ? none - 1 : found;
}

/** Their names, in order. `isHidden`: nobody is to see predictions. Pure. */
export function binNames(bins: Bins, isHidden: boolean): readonly string[] {
  const none = "no prediction";
  if (bins.by === "label") {
    return [...bins.labels.map((label, index) => (isHidden ? `label ${index + 1}` : label)), "other", none];
  }
  const { of, upTo } = bins;
  const unit = of === "text" ? " words" : "";
  const what = of === "embedding" ? "cosine " : "";
  const shown = (value: number) => String(Number(value.toPrecision(4)));
  const last = shown(upTo.at(-1) ?? 0);
  const sized = upTo.map((size, index) =>
    isHidden ? `size ${index + 1}` : `${what}up to ${shown(size)}${unit}`,
  );
  return [...sized, isHidden ? "larger" : `${what}over ${last}${unit}`, none];
}
