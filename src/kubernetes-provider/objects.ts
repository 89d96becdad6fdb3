import { isList, isMap, type PropertyMap, type PropertyValue, Secret, Unknown } from "./struct.ts";

/** Value at a path of keys, or `undefined`. */
export function at(value: PropertyValue | undefined, ...path: readonly string[]): PropertyValue | undefined {
  let current = value;
  for (const key of path) {
    if (!isMap(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** String at a path, or the empty string. */
export function text(value: PropertyValue | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** Map at a path, or an empty one. */
export function mapAt(value: PropertyValue | undefined, ...path: readonly string[]): PropertyMap {
  const found = at(value, ...path);
  return isMap(found) ? found : {};
}

/** List at a path, or an empty one. */
export function listAt(
  value: PropertyValue | undefined,
  ...path: readonly string[]
): readonly PropertyValue[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** Number at a path, or `undefined`. */
export function numberAt(value: PropertyValue | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** A copy with the value at a path set; missing maps on the way are made, anything else there is replaced. */
export function withValue(map: PropertyMap, path: readonly string[], value: PropertyValue): PropertyMap {
  const [key, ...rest] = path;
  if (key === undefined) return map;
  if (rest.length === 0) return { ...map, [key]: value };
  const child = map[key];
  return { ...map, [key]: withValue(isMap(child) ? child : {}, rest, value) };
}

/** A copy without the value at a path. */
export function without(map: PropertyMap, path: readonly string[]): PropertyMap {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(map, key)) return map;
  if (rest.length === 0) {
    const { [key]: _removed, ...others } = map;
    return others;
  }
  const child = map[key];
  return isMap(child) ? { ...map, [key]: without(child, rest) } : map;
}

export function deepEqual(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (a === b) return true;
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && deepEqual(a.value, b.value);
  }
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((value, index) => deepEqual(value, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
    );
  }
  return false;
}

/**
 * The parts of `source` that also occur in `shape`: what the cluster says about the fields that were declared.
 * Lists are matched by position.
 */
export function prune(source: PropertyMap, shape: PropertyMap): PropertyMap {
  const result: PropertyMap = {};
  for (const [key, value] of Object.entries(source)) {
    const wanted = shape[key];
    if (wanted === undefined) continue;
    if (isMap(value) && isMap(wanted)) result[key] = prune(value, wanted);
    else if (isList(value) && isList(wanted)) result[key] = pruneList(value, wanted);
    else result[key] = value;
  }
  return result;
}

function pruneList(source: readonly PropertyValue[], shape: readonly PropertyValue[]): PropertyValue[] {
  const pruned: PropertyValue[] = [];
  for (const [index, wanted] of shape.entries()) {
    const value = source[index];
    if (value === undefined) break;
    if (isMap(value) && isMap(wanted)) pruned.push(prune(value, wanted));
    else if (isList(value) && isList(wanted)) pruned.push(pruneList(value, wanted));
    else pruned.push(value);
  }
  return pruned;
}

/**
 * Pruned inputs with what the API server never gave back, neither at the last write (`before`) nor now (`after`): an empty
 * value or an unknown field that it drops. Nobody has removed it.
 */
export function withUnreturned(
  pruned: PropertyMap,
  shape: PropertyMap,
  before: PropertyMap,
  after: PropertyMap,
): PropertyMap {
  const result: PropertyMap = { ...pruned };
  for (const [key, wanted] of Object.entries(shape)) {
    if (before[key] === undefined && after[key] === undefined) result[key] = wanted;
    else if (result[key] !== undefined)
      result[key] = unreturnedWithin(result[key], wanted, before[key], after[key]);
  }
  return result;
}

function unreturnedWithin(
  pruned: PropertyValue,
  shape: PropertyValue,
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
): PropertyValue {
  if (isMap(pruned) && isMap(shape) && isMap(before) && isMap(after)) {
    return withUnreturned(pruned, shape, before, after);
  }
  if (!isList(pruned) || !isList(shape) || !isList(before) || !isList(after)) return pruned;
  return pruned.map((element, index) =>
    unreturnedWithin(element, shape[index] ?? null, before[index], after[index]),
  );
}

export function nameOf(object: PropertyMap): string {
  return text(object, "metadata", "name");
}

export function namespaceOf(object: PropertyMap): string {
  return text(object, "metadata", "namespace");
}

export function annotation(object: PropertyMap, key: string): string {
  return text(object, "metadata", "annotations", key);
}

/** `NAMESPACE/NAME`, or `NAME` for objects without a namespace: the id of a resource in the state. */
export function idOf(object: PropertyMap): string {
  const namespace = namespaceOf(object);
  return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

export function parseId(id: string): { readonly namespace: string; readonly name: string } {
  const slash = id.indexOf("/");
  return slash < 0
    ? { namespace: "", name: id }
    : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}
