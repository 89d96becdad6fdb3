import { shortened } from "../headline.ts";

/** What is kept of one verdict's data, bytes of JSON. */
export const largestData = 24 * 1024;

const longestText = 300;
const mostKeys = 60;
const deepest = 6;

/**
 * Evidence as it is kept: plain JSON, texts cut, lists to their first entries, fractions to six digits. What does not fit is named in
 * `leftOut`, never left out silently. Pure.
 */
export function boundedData(
  data: Readonly<Record<string, unknown>>,
  most: number = largestData,
): Readonly<Record<string, unknown>> {
  for (const entries of [60, 20, 5]) {
    const kept = cutTo(data, entries);
    if (sizeOf(kept) <= most) return kept;
  }
  const { leftOut: cuts, ...all } = cutTo(data, 5);
  const kept: Record<string, unknown> = {};
  const leftOut: string[] = Array.isArray(cuts) ? [...(cuts as string[])] : [];
  // The small ones first: they are the numbers.
  for (const [key, value] of Object.entries(all).toSorted((a, b) => sizeOf(a[1]) - sizeOf(b[1]))) {
    if (sizeOf(kept) + sizeOf(value) + sizeOf(key) + roomForNames <= most) kept[key] = value;
    else leftOut.unshift(key);
  }
  return { ...kept, leftOut: leftOut.slice(0, mostNames) };
}

const mostNames = 12;
const longestName = 60;
/** For `leftOut` itself. */
const roomForNames = 4 * mostNames * longestName;

function cutTo(data: Readonly<Record<string, unknown>>, entries: number): Record<string, unknown> {
  const leftOut: string[] = [];
  const kept = fields(data, { entries, leftOut }, "", 0);
  return leftOut.length === 0 ? kept : { ...kept, leftOut: leftOut.slice(0, mostNames) };
}

interface Cutting {
  readonly entries: number;
  /** What was cut, in words. */
  readonly leftOut: string[];
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}

function fields(value: object, cutting: Cutting, path: string, depth: number): Record<string, unknown> {
  const kept = Object.entries(value).filter(
    ([, field]) => field !== undefined && typeof field !== "function",
  );
  if (kept.length > mostKeys) cut(cutting, path, mostKeys, kept.length);
  return Object.fromEntries(
    kept.slice(0, mostKeys).map(([key, field]) => {
      const name = textOf(key, longestName);
      return [name, partOf(field, cutting, path === "" ? name : `${path}.${name}`, depth + 1)];
    }),
  );
}

function partOf(value: unknown, cutting: Cutting, path: string, depth: number): unknown {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value)) return String(value);
      return Number.isInteger(value) ? value : Number(value.toPrecision(6));
    case "string":
      return textOf(value, longestText);
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      if (depth > deepest) return "…";
      if (!Array.isArray(value)) return fields(value, cutting, path, depth);
      if (value.length > cutting.entries) cut(cutting, path, cutting.entries, value.length);
      return value.slice(0, cutting.entries).map((one) => partOf(one, cutting, path, depth + 1));
    default:
      return null;
  }
}

function cut({ leftOut }: Cutting, path: string, kept: number, of: number): void {
  const what = path === "" ? "" : `${textOf(path, longestName - 20)}: `;
  leftOut.push(`${what}${of - kept} of ${of}`);
}

function textOf(text: string, most: number): string {
  return shortened(wellFormed(text), most);
}

/** Without halves of characters, which other programs refuse in JSON. Pure. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\ufffd");
}
