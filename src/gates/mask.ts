import { writeExact } from "../core/exact-json.ts";
import { isFields } from "../core/fields.ts";

/** What stands in place of a value that nobody is to see. */
export const masked = "[masked]";

/** Dot-separated, `*` for every key or index; no key at all: everything. */
export type MaskPaths = readonly string[];

/** What is hidden of inputs, and of what is compared. */
export interface Mask {
  readonly input: MaskPaths;
  readonly answer: MaskPaths;
}

/** From `input.name` and `answer.0.text`, `input` and `answer` alone being all of it. Pure. */
export function maskOf(paths: readonly string[]): Mask {
  const of = (side: keyof Mask) =>
    paths
      .filter((path) => path === side || path.startsWith(`${side}.`))
      .map((path) => path.slice(side.length + 1));
  return { input: of("input"), answer: of("answer") };
}

const keysOf = (path: string) => (path === "" ? [] : path.split("."));

/** The same JSON with `[masked]` at the paths. What no path leads to stays as it is. Pure. */
export function withMask(value: unknown, paths: MaskPaths): unknown {
  return paths.reduce((shown, path) => maskedAt(shown, keysOf(path)), value);
}

/** Whether a path leads to anything in the value. Pure. */
export function leadsIn(value: unknown, path: string): boolean {
  return leadsTo(value, keysOf(path));
}

/**
 * The same of an answer, of which nobody knows the form before: one in which a path leads nowhere may have what is to be hidden anywhere, so that
 * nothing of it is shown. Pure.
 */
export function withAnswerMask(value: unknown, paths: MaskPaths): unknown {
  return paths.every((path) => leadsIn(value, path)) ? withMask(value, paths) : masked;
}

function maskedAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return masked;
  if (Array.isArray(value)) {
    return value.map((inner, index) =>
      key === "*" || key === String(index) ? maskedAt(inner, rest) : inner,
    );
  }
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      key === "*" || key === name ? maskedAt(inner, rest) : inner,
    ]),
  );
}

function leadsTo(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  if (key === "*") return Object.values(value).some((inner) => leadsTo(inner, rest));
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.hasOwn(fields, key) && leadsTo(fields[key], rest);
}

/** What of a masked value is kept as an example: as JSON, cut. Pure. */
export function excerpt(value: unknown, most: number): string {
  const text = writeExact(value) ?? "nothing";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
