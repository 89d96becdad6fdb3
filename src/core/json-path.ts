/** The value at a dot-separated path, for example `outputs.0.data`; `undefined`: there is none. */
export function jsonAt(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}
