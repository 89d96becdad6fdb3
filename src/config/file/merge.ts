import { isFields } from "../../core/fields.ts";

/** Keys from the top, as in `ConfigProblem`. */
export type Path = readonly (string | number)[];

/** A part of the configuration that says something about one model, for example `environments.production`. */
export interface Layer {
  /** Absolute path of the file it stands in. */
  readonly file: string;
  /** Where in the file it stands. */
  readonly at: Path;
  readonly value: unknown;
}

/** Where a value was written. */
export interface Origin {
  readonly file: string;
  readonly path: Path;
  /** Environment variables whose values are in it. */
  readonly variables?: readonly string[];
}

export interface Merged {
  readonly value: Readonly<Record<string, unknown>>;
  /** By `pathKey`: every key that a layer gave, objects included. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** A path as the key of a map. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/**
 * Lays later layers over earlier ones: objects merge key by key, lists and everything else replace, `null` removes,
 * `undefined` counts as not given. What is one thing (a model server, an identity) is replaced whole. Pure.
 */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const origins = new Map<string, Origin>();
  let value: unknown = {};
  for (const [index, layer] of layers.entries()) {
    // At the bottom there is nothing to remove: `null` stays, and is refused as the mistake it is.
    value = lay(value, layer.value, [], { layer, origins, keepsNull: index === 0 });
  }
  return { value: isFields(value) ? value : {}, origins };
}

interface Laying {
  readonly layer: Layer;
  readonly origins: Map<string, Origin>;
  readonly keepsNull: boolean;
}

function lay(below: unknown, above: unknown, path: Path, laying: Laying): unknown {
  if (above === undefined) return below;
  const { origins, layer } = laying;
  const merges = isFields(above) && isFields(below) && !isOneThing(path, below, above);
  if (!merges) forget(origins, path);
  if (above === null && !laying.keepsNull) return undefined;
  if (path.length > 0) origins.set(pathKey(path), { file: layer.file, path: [...layer.at, ...path] });
  if (!isFields(above)) return above;
  const result: Record<string, unknown> = merges && isFields(below) ? { ...below } : {};
  for (const [key, value] of Object.entries(above)) {
    const merged = lay(result[key], value, [...path, key], laying);
    if (merged === undefined) delete result[key];
    else result[key] = merged;
  }
  return result;
}

/** A model server with half of its ports from another one would be neither. */
function isOneThing(path: Path, below: Readonly<Record<string, unknown>>, above: object): boolean {
  if (path.length === 1 && (path[0] === "server" || path[0] === "identity")) return true;
  const kind: unknown = Reflect.get(above, "kind");
  return typeof kind === "string" && typeof below.kind === "string" && kind !== below.kind;
}

function forget(origins: Map<string, Origin>, path: Path): void {
  if (path.length === 0) return;
  const own = pathKey(path);
  const prefix = `${own.slice(0, -1)},`;
  for (const key of [...origins.keys()]) if (key === own || key.startsWith(prefix)) origins.delete(key);
}

/** Where the value at a path, or the closest part that holds it, was written; the rest of the path is added to it. */
export function originOf(origins: ReadonlyMap<string, Origin>, path: Path): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const found = origins.get(pathKey(path.slice(0, length)));
    if (found !== undefined) return { ...found, path: [...found.path, ...path.slice(length)] };
  }
  return undefined;
}
