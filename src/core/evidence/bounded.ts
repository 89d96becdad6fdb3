import { shortened } from "../headline.ts";

/** What is kept of one verdict's data, bytes of JSON. */
export const largestData = 12 * 1024;

const longestText = 300;
const mostKeys = 60;
const deepest = 6;

/**
 * Evidence as it is kept: plain JSON, texts cut, lists to their first entries, fractions to six digits. What does not fit is left out by
 * name in `leftOut`, never silently. Pure.
 */
export function boundedData(
  data: Readonly<Record<string, unknown>>,
  most: number = largestData,
): Readonly<Record<string, unknown>> {
  for (const entries of [60, 20, 5]) {
    const kept = fields(data, entries, 0);
    if (sizeOf(kept) <= most) return kept;
  }
  const all = Object.entries(fields(data, 5, 0));
  const kept: Record<string, unknown> = {};
  const leftOut: string[] = [];
  // The small ones first: they are the numbers.
  for (const [key, value] of all.toSorted((a, b) => sizeOf(a[1]) - sizeOf(b[1]))) {
    if (sizeOf(kept) + sizeOf(value) + key.length + 200 <= most) kept[key] = value;
    else leftOut.push(shortened(key, 60));
  }
  return { ...kept, leftOut: leftOut.slice(0, 20) };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}

function fields(value: object, entries: number, depth: number): Record<string, unknown> {
  const kept = Object.entries(value).filter(
    ([, field]) => field !== undefined && typeof field !== "function",
  );
  return Object.fromEntries(
    kept.slice(0, mostKeys).map(([key, field]) => [textOf(key, 60), partOf(field, entries, depth + 1)]),
  );
}

function partOf(value: unknown, entries: number, depth: number): unknown {
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
      if (Array.isArray(value)) return value.slice(0, entries).map((one) => partOf(one, entries, depth + 1));
      return fields(value, entries, depth);
    default:
      return null;
  }
}

function textOf(text: string, most: number): string {
  return shortened(wellFormed(text), most);
}

/** Without halves of characters, which other programs refuse in JSON. Pure. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\ufffd");
}
