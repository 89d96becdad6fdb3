/** Names that the Kubernetes provider adds to its own inputs; they are no properties of the object. */
const internalNames = new Set(["__fieldManager", "__initialApiVersion", "__defaults", "__internal"]);

/** What Pulumi puts where a value is not known before the operation. */
const unknownValues = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
]);

/** Splits Pulumi's property path, for example `metadata.annotations["a.b/c"]` or `spec.rules[0].host`. */
export function splitPath(path: string): (string | number)[] {
  const parts: (string | number)[] = [];
  const part = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g;
  for (const [, quoted, index, name] of path.matchAll(part)) {
    if (quoted !== undefined) parts.push(quoted.replace(/\\(.)/g, "$1"));
    else if (index !== undefined) parts.push(Number(index));
    else if (name !== undefined) parts.push(name);
  }
  return parts;
}

export function joinPath(parts: readonly (string | number)[]): string {
  let path = "";
  for (const part of parts) {
    if (typeof part === "number") path += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) path += path === "" ? part : `.${part}`;
    else path += `[${JSON.stringify(part)}]`;
  }
  return path;
}

/** Where values of an engine event are masked as secret. */
export function secretPaths(
  value: unknown,
  at: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  if (value === "[secret]") return [at];
  if (Array.isArray(value)) return value.flatMap((inner, index) => secretPaths(inner, [...at, index]));
  if (typeof value !== "object" || value === null) return [];
  if (signature in value) return [at];
  return Object.entries(value).flatMap(([name, inner]) => secretPaths(inner, [...at, name]));
}

/** By this key Pulumi marks special values, secrets among them, where nobody masked them. */
export const signature = "4dabf18193072939515e22adb298388d";

/** Makes a value of an engine event presentable: secrets stay masked, unknown values are named. */
export function presentable(value: unknown): unknown {
  if (typeof value === "string") {
    if (unknownValues.has(value)) return "[unknown]";
    return value;
  }
  if (Array.isArray(value)) return value.map(presentable);
  if (typeof value !== "object" || value === null) return value;
  if (signature in value) return "[secret]";
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !internalNames.has(name))
      .map(([name, inner]) => [name, presentable(inner)]),
  );
}

export interface PropertyChange {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The leaves in which two values differ. */
export function differences(
  before: unknown,
  after: unknown,
  path: readonly (string | number)[] = [],
): PropertyChange[] {
  if (Object.is(before, after)) return [];
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys]
      .filter((key) => !internalNames.has(key))
      .flatMap((key) =>
        differences((before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key], [
          ...path,
          Array.isArray(before) ? Number(key) : key,
        ]),
      );
  }
  return [change(joinPath(path), before, after)];
}

export function change(path: string, before: unknown, after: unknown): PropertyChange {
  return {
    path,
    ...(before === undefined ? {} : { before: presentable(before) }),
    ...(after === undefined ? {} : { after: presentable(after) }),
  };
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function isInternal(path: string): boolean {
  return splitPath(path).some((part) => typeof part === "string" && internalNames.has(part));
}
