/**
 * JSON in which integers stay what they are: ids of 64 bits do not fit into a double, and one that was rounded is another one. Those that do not
 * fit are `bigint`s, all other numbers are numbers.
 */

interface WithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** Beyond the types of this version of TypeScript: https://github.com/tc39/proposal-json-parse-with-source. */
const withSource = JSON as unknown as WithSource;

/** Only so many digits can be too many. */
const longInteger = /\d{16}/;

/** Throws SyntaxError, as `JSON.parse` does. Pure. */
export function parseExact(text: string): unknown {
  if (!longInteger.test(text)) return JSON.parse(text);
  return withSource.parse(text, (_, value, { source }) => {
    if (typeof value !== "number" || source === undefined || !/^-?\d{16,}$/.test(source)) return value;
    const exact = BigInt(source);
    return Number.isFinite(value) && BigInt(value) === exact ? value : exact;
  });
}

/** `undefined` where `JSON.stringify` says so. Pure. */
export function writeExact(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "bigint" ? withSource.rawJSON(String(one)) : one,
  );
}

/** Where a number stands that is too large for a double, so that it would be sent as `null`; `undefined`: nowhere. Pure. */
export function infinityIn(value: unknown, path = ""): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = infinityIn(inner, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
