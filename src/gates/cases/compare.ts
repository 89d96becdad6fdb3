import { isDeepStrictEqual } from "node:util";
import { writeExact } from "../../core/exact-json.ts";
import { isFields } from "../../core/fields.ts";

/** What makes an answer right. */
export type Comparison =
  /** The same JSON. */
  | { readonly kind: "exact" }
  /** Numbers, wherever they are, within the larger of both tolerances; all else the same. */
  | { readonly kind: "numbers"; readonly absolute: number; readonly relative: number }
  /** The label, or the index of the highest score. */
  | { readonly kind: "label" }
  /** The label is among the indexes of the k highest scores, or among the first k of a list of labels. */
  | { readonly kind: "top-k"; readonly k: number }
  /** The same text, spaces and line breaks aside. */
  | { readonly kind: "text" }
  /** The same keys and types; values may differ. */
  | { readonly kind: "structure" }
  /** Embeddings that point the same way. */
  | { readonly kind: "cosine"; readonly least: number }
  /** A module of the user's has a comparator; it is loaded before anything is compared. */
  | { readonly kind: "module"; readonly file: string }
  /** That comparator: how an answer differs. */
  | { readonly kind: "own"; readonly differs: (expected: unknown, answer: unknown) => string | undefined };

/** What is wrong with an answer; `undefined`: nothing. Numbers that are none are always wrong. Pure. */
export function difference(comparison: Comparison, expected: unknown, answer: unknown): string | undefined {
  const broken = isOwnText(comparison, expected, answer) ? undefined : notFinite(answer, "");
  if (broken !== undefined) return broken;
  switch (comparison.kind) {
    case "exact":
      return isDeepStrictEqual(answer, expected) ? undefined : instead(answer, expected);
    case "numbers":
      return numbersDiffer(comparison, expected, answer, "");
    case "label":
      return sameLabel(labelOf(answer), expected) ? undefined : instead(labelOf(answer), expected);
    case "top-k": {
      const rows = rowsOf(answer);
      if (rows !== undefined && Array.isArray(expected)) return rowsDiffer(comparison, expected, rows);
      const best = bestOf(rows?.[0] ?? answer, comparison.k);
      if (best === undefined) return `${shown(answer)} is no list of scores or labels`;
      return best.some((one) => sameLabel(one, expected))
        ? undefined
        : `${shown(expected)} is not among the first ${comparison.k}: ${shown(best)}`;
    }
    case "text":
      return spaced(answer) === spaced(expected) ? undefined : instead(answer, expected);
    case "structure":
      return structureDiffers(expected, answer, "");
    case "own":
      return comparison.differs(expected, answer);
    case "module":
      throw new Error("A comparator is loaded before it compares.");
    case "cosine":
      return cosineDiffers(comparison.least, expected, answer);
  }
}

/**
 * How an answer differs from another answer to the same input; `undefined`: it does not. Unlike what is expected, which may be a label, both have
 * the form of an answer. Pure.
 */
export function answersDiffer(comparison: Comparison, one: unknown, other: unknown): string | undefined {
  // Nobody has declared it: what a server writes in place of a number is none, in whichever answer.
  const broken = comparison.kind === "text" ? undefined : notFinite(other, "");
  if (broken !== undefined) return broken;
  return difference(comparison, labelled(comparison, one), other);
}

/** What an answer is where it is what is expected: of scores the label. Pure. */
export function labelled(comparison: Comparison, answer: unknown): unknown {
  return isOfLabels(comparison) ? labelOf(answer) : answer;
}

/** Whether labels are compared: each row of an answer has one. */
export function isOfLabels({ kind }: Comparison): boolean {
  return kind === "label" || kind === "top-k";
}

/**
 * Whether "differs" is an equality: then an answer that is the same as two others says that these are the same. Tolerances are none, and neither
 * is a structure whose empty lists are like any other.
 */
export function isEquality({ kind }: Comparison): boolean {
  return kind === "exact" || kind === "label" || kind === "text";
}

/** How far numbers are apart, or embeddings by their angle, for the order of examples; the whole of it where they cannot be compared. Pure. */
export function distance(one: unknown, other: unknown): number {
  const [a, b] = [numbersIn(one), numbersIn(other)];
  if (a.length === 0 || a.length !== b.length) return Number.MAX_VALUE;
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? 0))));
}

function numbersIn(value: unknown): readonly number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

function cosineDiffers(least: number, expected: unknown, answer: unknown): string | undefined {
  const [a, b] = [vectorOf(expected), vectorOf(answer)];
  if (a === undefined) return `${shown(expected)} is no embedding to compare with`;
  if (b === undefined) return `${shown(answer)} is no embedding`;
  if (a.length !== b.length) return `${b.length} dimensions instead of ${a.length}`;
  const dot = (one: readonly number[], two: readonly number[]) =>
    one.reduce((sum, value, index) => sum + value * (two[index] ?? 0), 0);
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  if (lengths === 0) return "an embedding of length 0 points nowhere";
  const cosine = dot(a, b) / lengths;
  return cosine >= least ? undefined : `cosine ${Number(cosine.toPrecision(4))} instead of ${least} or more`;
}

function vectorOf(value: unknown): readonly number[] | undefined {
  const isVector = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number");
  return isVector ? value : undefined;
}

/** A text may be about infinities, and a label that is declared may be called like one. */
function isOwnText({ kind }: Comparison, expected: unknown, answer: unknown): boolean {
  if (kind === "text") return true;
  const isLabel = kind === "label" || kind === "top-k" || kind === "exact";
  return isLabel && typeof expected === "string" && answer === expected;
}

/** Infinities and NaN can only stand in values that were no JSON. */
function notFinite(value: unknown, path: string): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return `${at(path)}${value} in place of a number`;
  if (typeof value === "string" && /^[-+]?(nan|inf|infinity)$/i.test(value)) {
    return `${at(path)}"${value}" in place of a number`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = notFinite(inner, joined(path, key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function numbersDiffer(
  tolerance: { readonly absolute: number; readonly relative: number },
  expected: unknown,
  answer: unknown,
  path: string,
): string | undefined {
  if (isNumber(expected)) {
    if (!isNumber(answer)) return `${at(path)}${instead(answer, expected)}`;
    const off = apart(answer, expected);
    const most = Math.max(tolerance.absolute, tolerance.relative * Math.abs(Number(expected)));
    if (off <= most) return undefined;
    return `${at(path)}${instead(answer, expected)}, off by ${Number(off.toPrecision(3))}`;
  }
  if (typeof expected !== "object" || expected === null) {
    return isDeepStrictEqual(answer, expected) ? undefined : `${at(path)}${instead(answer, expected)}`;
  }
  return (
    shapeDiffers(expected, answer, path) ??
    first(expected, (key, inner) => numbersDiffer(tolerance, inner, inside(answer, key), joined(path, key)))
  );
}

/** Of two integers exactly. */
function apart(one: number | bigint, other: number | bigint): number {
  const isExact = [one, other].every((value) => typeof value === "bigint" || Number.isInteger(value));
  return Math.abs(isExact ? Number(BigInt(one) - BigInt(other)) : Number(one) - Number(other));
}

function structureDiffers(expected: unknown, answer: unknown, path: string): string | undefined {
  if (typeof expected !== "object" || expected === null) {
    const [is, should] = [kindOf(answer), kindOf(expected)];
    return is === should ? undefined : `${at(path)}${is} instead of ${should}`;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(answer)) return `${at(path)}${kindOf(answer)} instead of a list`;
    const [example] = expected;
    if (example === undefined) return undefined;
    // Lists may be of any length; each has what the first of the expected one has.
    return first(answer, (key, inner) => structureDiffers(example, inner, joined(path, key)));
  }
  return (
    shapeDiffers(expected, answer, path) ??
    first(expected, (key, inner) => structureDiffers(inner, inside(answer, key), joined(path, key)))
  );
}

/** Whether a list is as long, and an object has the same keys. */
function shapeDiffers(expected: object, answer: unknown, path: string): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(answer)) return `${at(path)}${kindOf(answer)} instead of a list`;
    if (answer.length === expected.length) return undefined;
    return `${at(path)}${answer.length} values instead of ${expected.length}`;
  }
  if (!isFields(answer)) return `${at(path)}${kindOf(answer)} instead of an object`;
  const missing = Object.keys(expected).find((key) => !Object.hasOwn(answer, key));
  if (missing !== undefined) return `${joined(path, missing)} is missing`;
  const added = Object.keys(answer).find((key) => !Object.hasOwn(expected, key));
  return added === undefined ? undefined : `${joined(path, added)} is not expected`;
}

function first(value: object, look: (key: string, inner: unknown) => string | undefined): string | undefined {
  for (const [key, inner] of Object.entries(value)) {
    const found = look(key, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Answers to several inputs at once: a list for each. */
function rowsOf(answer: unknown): readonly (readonly unknown[])[] | undefined {
  return Array.isArray(answer) && answer.length > 0 && answer.every(Array.isArray) ? answer : undefined;
}

function rowsDiffer(
  comparison: Comparison,
  expected: readonly unknown[],
  rows: readonly (readonly unknown[])[],
): string | undefined {
  if (rows.length !== expected.length) return `${rows.length} rows instead of ${expected.length}`;
  return first(rows, (row, inner) => {
    const why = difference(comparison, expected[Number(row)], inner);
    return why === undefined ? undefined : `row ${row}: ${why}`;
  });
}

/** Of scores the index of the highest, of rows that of each; anything else is the label itself. */
function labelOf(answer: unknown): unknown {
  const rows = rowsOf(answer);
  if (rows !== undefined) return rows.length === 1 ? labelOf(rows[0]) : rows.map(labelOf);
  return isScores(answer) ? ranked(answer)[0] : Array.isArray(answer) ? answer[0] : answer;
}

function bestOf(answer: unknown, k: number): readonly unknown[] | undefined {
  if (isScores(answer)) return ranked(answer).slice(0, k);
  return Array.isArray(answer) ? answer.slice(0, k) : undefined;
}

function isScores(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 1 && value.every((one) => typeof one === "number");
}

function ranked(scores: readonly number[]): readonly number[] {
  return scores.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
}

/** Files often have numbers where answers have texts. */
function sameLabel(answer: unknown, expected: unknown): boolean {
  if (Array.isArray(answer) && Array.isArray(expected))
    return answer.length === expected.length && answer.every((one, index) => sameLabel(one, expected[index]));
  return (
    isDeepStrictEqual(answer, expected) ||
    (isPlain(answer) && isPlain(expected) && String(answer) === String(expected))
  );
}

const isPlain = (value: unknown) => ["string", "number", "bigint", "boolean"].includes(typeof value);
/** Integers that no double holds are numbers, too. */
const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";
const spaced = (value: unknown) =>
  typeof value === "string" ? value.replace(/\s+/g, " ").trim() : writeExact(value);
const inside = (value: unknown, key: string) =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
const joined = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);
const at = (path: string) => (path === "" ? "" : `${path} is `);

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (isNumber(value)) return "a number";
  return value === undefined ? "nothing" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function instead(answer: unknown, expected: unknown): string {
  return `${shown(answer)} instead of ${shown(expected)}`;
}

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : writeExact(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
