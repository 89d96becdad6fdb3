import { isFields } from "../core/fields.ts";

/** What stands in place of a value that nobody is to see. */
export const masked = "[masked]";

/** Headers whose values are never shown. Paths: dot-separated, `*` for every key or index. */
export type MaskPaths = readonly string[];

/** The same JSON with `[masked]` at the paths. What no path leads to stays as it is. Pure. */
export function withMask(value: unknown, paths: MaskPaths): unknown {
  return paths.reduce((shown, path) => maskedAt(shown, path.split(".")), value);
}

/** Whether a path leads to anything in the value: then words about it could quote it. Pure. */
export function isMasked(value: unknown, paths: MaskPaths): boolean {
  return paths.some((path) => leadsTo(value, path.split(".")));
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

/** What of a value is kept as an example: masked, as JSON, cut. Pure. */
export function excerpt(value: unknown, paths: MaskPaths, most: number): string {
  const text = JSON.stringify(withMask(value, paths)) ?? "nothing";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
