import { parsePath } from "./diff.ts";
import { at, deepEqual, listAt, mapAt, text, without, withValue } from "./objects.ts";
import { isList, isMap, type PropertyMap, type PropertyValue } from "./struct.ts";

/**
 * Owners whose fields this provider takes over on its first apply: its own earlier self, and people with kubectl.
 * The names are beginnings: kubectl writes as `kubectl-edit`, `kubectl-patch` and more.
 */
const predecessors: readonly { readonly manager: string; readonly operation: "Apply" | "Update" }[] = [
  { manager: "kubectl", operation: "Apply" },
  { manager: "kubectl", operation: "Update" },
  { manager: "before-first-apply", operation: "Update" },
  { manager: "pulumi-kubernetes", operation: "Update" },
  { manager: "pulumi-resource-kubernetes", operation: "Update" },
];

/** The JSON patch that makes `fieldManager` the owner of what its predecessors own; `undefined` when there is nothing to do. */
export function takeOver(live: PropertyMap, fieldManager: string): readonly PropertyMap[] | undefined {
  const entries = listAt(live, "metadata", "managedFields").filter(isMap);
  const taken = entries.filter(isPredecessor);
  if (taken.length === 0) return undefined;
  const isOwn = (entry: PropertyMap) =>
    entry.manager === fieldManager && entry.operation === "Apply" && text(entry, "subresource") === "";
  const own = entries.find(isOwn);
  const fields = [...(own === undefined ? [] : [own]), ...taken]
    .map((entry) => mapAt(entry, "fieldsV1"))
    .reduce((union, next) => merge(union, next), {});
  const merged: PropertyMap = {
    ...(own ?? taken[0]),
    manager: fieldManager,
    operation: "Apply",
    fieldsV1: fields,
  };
  const others = entries.filter((entry) => !isOwn(entry) && !isPredecessor(entry));
  return [
    { op: "replace", path: "/metadata/managedFields", value: [merged, ...others] },
    // Makes the API server refuse the patch if somebody wrote in between.
    { op: "replace", path: "/metadata/resourceVersion", value: text(live, "metadata", "resourceVersion") },
  ];
}

function isPredecessor(entry: PropertyMap): boolean {
  return (
    text(entry, "subresource") === "" &&
    predecessors.some(
      ({ manager, operation }) => text(entry, "manager").startsWith(manager) && entry.operation === operation,
    )
  );
}

function merge(a: PropertyMap, b: PropertyMap): PropertyMap {
  const result = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? merge(before, value) : value;
  }
  return result;
}

/** Whether fields of this owner are taken over before an update. */
export function isPredecessorName(manager: string): boolean {
  return predecessors.some((predecessor) => manager.startsWith(predecessor.manager));
}

/** Whether the object has every declared value. */
export function covers(live: PropertyValue | undefined, declared: PropertyValue): boolean {
  if (isMap(declared)) {
    return isMap(live) && Object.entries(declared).every(([key, value]) => covers(live[key], value));
  }
  if (isList(declared)) {
    return (
      isList(live) &&
      live.length === declared.length &&
      declared.every((value, index) => covers(live[index], value))
    );
  }
  return deepEqual(live, declared);
}

/**
 * Inputs for an apply that leaves ignored properties as they are in the cluster: those that somebody else owns
 * are left out, the others are sent with the value that they have.
 */
export function keepIgnored(
  inputs: PropertyMap,
  live: PropertyMap,
  ignoreChanges: readonly string[],
  fieldManager: string,
): PropertyMap {
  const entries = listAt(live, "metadata", "managedFields").filter(isMap);
  const owns = (entry: PropertyMap, path: readonly string[]) =>
    at(mapAt(entry, "fieldsV1"), ...path.map((key) => `f:${key}`)) !== undefined;
  let result = inputs;
  for (const ignored of ignoreChanges) {
    const steps = parsePath(ignored);
    // The engine has already put the old input there; positions in lists say nothing about ownership.
    if (steps.some((step) => typeof step === "number" || step === "*")) continue;
    const path = steps.map(String);
    const value = at(live, ...path);
    const theirs = entries.some((entry) => entry.manager !== fieldManager && owns(entry, path));
    const ours = entries.some((entry) => entry.manager === fieldManager && owns(entry, path));
    if (theirs && !ours) result = without(result, path);
    else if (value !== undefined) result = withValue(result, path, value);
  }
  return result;
}
