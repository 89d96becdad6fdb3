/** What has keys and values and nothing is known of them yet: an object of JSON, YAML or a configuration. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at a path of keys and indexes; `undefined` where the path leads nowhere. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/**
 * Whether all that was written is there; the API server and webhooks may have added fields. `isSame`: whether a value is the one that was written.
 * Pure.
 */
export function contains(
  found: unknown,
  written: unknown,
  isSame: (found: unknown, written: unknown) => boolean = (one, other) => one === other,
): boolean {
  if (Array.isArray(written)) {
    const isList = Array.isArray(found) && found.length === written.length;
    return isList && written.every((one, index) => contains(found[index], one, isSame));
  }
  if (typeof written === "object" && written !== null) {
    if (typeof found !== "object" || found === null) return false;
    const there = found as Readonly<Record<string, unknown>>;
    return Object.entries(written).every(
      ([key, value]) => value === undefined || contains(there[key], value, isSame),
    );
  }
  return isSame(found, written);
}
