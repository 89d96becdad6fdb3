import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import {
  forceNewProperties,
  isAutonamed,
  type MutabilitySettings,
  type PropertyPath,
  touches,
} from "./force-new.ts";
import { normalize } from "./normalize.ts";
import { at, deepEqual, nameOf, namespaceOf, prune, text, without, withValue } from "./objects.ts";
import { isList, isMap, type PropertyMap, type PropertyValue, reveal, Unknown } from "./struct.ts";

export type ChangeKind = "add" | "delete" | "update";

export interface PropertyChange {
  readonly kind: ChangeKind;
  readonly replaces: boolean;
  /** The change is one of the inputs only: the cluster has nothing to compare with. */
  readonly inputDiff: boolean;
}

export interface ObjectDiff {
  /** By property path, for example `spec.template.spec.containers[0].image`. */
  readonly changes: ReadonlyMap<string, PropertyChange>;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

export interface DiffRequest {
  /** The state of the last create, update or read. */
  readonly olds: PropertyMap;
  /** The new inputs, checked. */
  readonly news: PropertyMap;
  readonly ignoreChanges: readonly string[];
  /** Whether objects of this kind live in namespaces. */
  readonly namespaced: boolean;
  readonly mutability: MutabilitySettings;
}

/**
 * What would change. The new inputs are compared with what the cluster said last about the fields that were
 * declared before, so that defaults of the API server are no differences and drift found by a refresh is one.
 */
export function diffObject(request: DiffRequest): ObjectDiff {
  const checkpoint: Checkpoint = parseCheckpoint(request.olds);
  const oldInputs = normalize(checkpoint.inputs);
  let news = normalize(reveal(request.news));
  let olds = without(prune(checkpoint.live, oldInputs), ["metadata", "resourceVersion"]);
  if (request.namespaced) {
    olds = withValue(olds, ["metadata", "namespace"], namespaceOf(olds) || "default");
    if (!(at(news, "metadata", "namespace") instanceof Unknown)) {
      news = withValue(news, ["metadata", "namespace"], namespaceOf(news) || "default");
    }
  } else {
    olds = without(olds, ["metadata", "namespace"]);
    news = without(news, ["metadata", "namespace"]);
  }
  if (text(olds, "kind") === "") {
    olds = { ...olds, apiVersion: news.apiVersion ?? null, kind: news.kind ?? null };
  }
  if (nameOf(news) !== "") olds = withValue(olds, ["metadata", "name"], nameOf(checkpoint.live));

  const patterns = forceNewProperties(news, request.mutability, checkpoint.live);
  const changes = new Map<string, PropertyChange>();
  compareMaps([], olds, news, oldInputs, (path, kind, value, inputDiff = false) => {
    const replaces = patterns.some((pattern) => touches(path, value, pattern));
    changes.set(formatPath(path), { kind, replaces, inputDiff });
  });
  for (const ignored of request.ignoreChanges) {
    for (const path of [...changes.keys()]) if (contains(ignored, path)) changes.delete(path);
  }

  const replaces = [...changes]
    .filter(([path, change]) => change.replaces || (path === "metadata" && change.kind === "delete"))
    .map(([path]) => path);
  const sameObject =
    !isAutonamed(news) &&
    nameOf(news) === nameOf(checkpoint.live) &&
    (!request.namespaced || namespaceOf(news) === (namespaceOf(checkpoint.live) || "default"));
  return { changes, replaces, deleteBeforeReplace: replaces.length > 0 && nameOf(news) !== "" && sameObject };
}

type Report = (
  path: PropertyPath,
  kind: ChangeKind,
  value: PropertyValue | undefined,
  inputDiff?: boolean,
) => void;

function compareMaps(
  path: PropertyPath,
  old: PropertyMap,
  next: PropertyMap,
  declared: PropertyMap,
  report: Report,
): void {
  for (const [key, value] of Object.entries(next)) {
    const before = old[key];
    // Sent before, and the API server gave back nothing: it means nothing there, not that it is missing.
    if (before === undefined && deepEqual(value, declared[key])) continue;
    compare([...path, key], before, value, declared[key], report);
  }
  for (const [key, value] of Object.entries(old)) {
    if (next[key] === undefined && value !== null) report([...path, key], "delete", undefined, true);
  }
}

function compare(
  path: PropertyPath,
  before: PropertyValue | undefined,
  next: PropertyValue,
  declared: PropertyValue | undefined,
  report: Report,
): void {
  if (next instanceof Unknown) {
    report(path, before === undefined ? "add" : "update", undefined);
  } else if (next === null) {
    if (before !== undefined && before !== null) report(path, "delete", undefined, true);
  } else if (before === undefined) {
    report(path, "add", next);
  } else if (isMap(next) && isMap(before)) {
    compareMaps(path, before, next, isMap(declared) ? declared : {}, report);
  } else if (isList(next) && isList(before)) {
    const sent = isList(declared) ? declared : [];
    for (const [index, element] of next.entries()) {
      compare([...path, index], before[index], element, sent[index], report);
    }
    for (let index = next.length; index < before.length; index++) {
      report([...path, index], "delete", undefined, true);
    }
  } else if (!deepEqual(next, before)) {
    report(path, "update", next);
  }
}

/** Pulumi's notation: `spec.rules[0].host`, `metadata.annotations["pulumi.com/skipAwait"]`. */
export function formatPath(path: PropertyPath): string {
  let result = "";
  for (const step of path) {
    if (typeof step === "number") result += `[${step}]`;
    else if (/[."[\]]/.test(step)) result += `["${step.replaceAll('"', '\\"')}"]`;
    else result += result === "" ? step : `.${step}`;
  }
  return result;
}

/** Keys and positions of a path in Pulumi's notation. `*` stands for every key or position. */
export function parsePath(path: string): (string | number)[] {
  const steps: (string | number)[] = [];
  for (const match of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)) {
    const [, quoted, position, key] = match;
    if (quoted !== undefined) steps.push(quoted.replaceAll('\\"', '"'));
    else if (position !== undefined) steps.push(position === "*" ? "*" : Number(position));
    else if (key !== undefined) steps.push(key);
  }
  return steps;
}

function contains(ignored: string, path: string): boolean {
  const steps = parsePath(path);
  return parsePath(ignored).every((step, index) => step === "*" || steps[index] === step);
}
