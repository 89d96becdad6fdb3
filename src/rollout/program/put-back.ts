import { isFields } from "../../core/fields.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { Routing } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { PatchOperation } from "../../kubernetes/json-patch.ts";
import { type PathStep, pathText, valueIn } from "../../kubernetes/managed-fields.ts";
import { declaredFields } from "./declared-fields.ts";
import { objectPath } from "./declared-objects.ts";
import { isMeantOf } from "./find-hand-changes.ts";
import type { FieldChange, HandChange } from "./hand-changes.ts";
import { changedFields, undeclaredItem } from "./hand-changes.ts";

/** Under this name Pulumi's provider writes without server-side apply; what it finds of it, it takes over with its next apply. */
const provider = "pulumi-kubernetes";
const attempts = 5;

/**
 * Makes the fields named what is declared again, and no others: Pulumi, which compares with its state, leaves an object alone whose
 * declaration did not change, and fields alone that it does not declare.
 */
export async function putBack(
  { api, namespace }: { readonly api: KubernetesApi; readonly namespace: string },
  { spec, routing }: { readonly spec: ModelSpec; readonly routing: Routing },
  changes: readonly HandChange[],
): Promise<void> {
  for (const object of objectsOf(changes)) {
    const path = objectPath(namespace, object);
    const declared = declaredFields(spec, object, object.slot, routing);
    const paths = new Set(changes.filter(({ name }) => name === object.name).map((one) => one.path));
    for (let attempt = 1; ; attempt += 1) {
      const live = await api.find<KubernetesObject>(path, { signal: unstoppable });
      if (live === undefined) break;
      const left = changedFields(live, declared, isMeantOf(spec, object));
      const body = puttingBack(
        live,
        declared,
        left.filter(({ steps }) => paths.has(pathText(steps))),
      );
      if (body === undefined) break;
      try {
        await api.json({
          method: "PATCH",
          path,
          query: { fieldManager: provider },
          contentType: "application/json-patch+json",
          body,
          signal: unstoppable,
        });
        break;
      } catch (error) {
        // Controllers write the status all the time.
        const isBehind = error instanceof KubernetesApiError && [409, 422].includes(error.status);
        if (!isBehind || attempt === attempts) throw error;
      }
    }
  }
}

function objectsOf(changes: readonly HandChange[]): readonly HandChange[] {
  return [...new Map(changes.map((one) => [`${one.kind} ${one.name}`, one])).values()];
}

/** The patch that makes it so; `undefined` where there is nothing to do. Pure. */
export function puttingBack(
  live: KubernetesObject,
  declared: unknown,
  changes: readonly FieldChange[],
): PatchOperation[] | undefined {
  if (changes.length === 0) return undefined;
  const next = structuredClone(live) as Record<string, unknown>;
  for (const { steps, before } of changes) {
    if (before === undefined) removeAll(next, declared, withItem(declared, steps));
    else set(next, declared, steps, before);
  }
  const { uid, resourceVersion } = live.metadata ?? {};
  return [
    { op: "test", path: "/metadata/uid", value: uid },
    ...(changes.some(({ steps }) => steps[0] === "metadata")
      ? [
          {
            op: "add",
            path: "/metadata/annotations",
            value: valueIn(next, ["metadata", "annotations"]),
          } as const,
        ]
      : []),
    ...(changes.some(({ steps }) => steps[0] === "spec")
      ? [{ op: "replace", path: "/spec", value: next.spec } as const]
      : []),
    // The API server refuses it if somebody wrote in between.
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
  ];
}

/** An item that is not declared goes as a whole. */
function withItem(declared: unknown, steps: readonly PathStep[]): readonly PathStep[] {
  const at = undeclaredItem(declared, steps);
  return at === -1 ? steps : steps.slice(0, at + 1);
}

/** What is empty without it, and is not declared, goes with it. */
function removeAll(object: unknown, declared: unknown, steps: readonly PathStep[]): void {
  remove(object, steps);
  for (let at = steps.slice(0, -1); at.length > 1; at = at.slice(0, -1)) {
    const parent = valueIn(object, at);
    const isEmpty = typeof parent === "object" && parent !== null && Object.keys(parent).length === 0;
    if (!isEmpty || valueIn(declared, at) !== undefined) return;
    remove(object, at);
  }
}

function remove(object: unknown, steps: readonly PathStep[]): void {
  const parent = valueIn(object, steps.slice(0, -1));
  const last = steps.at(-1);
  if (typeof last === "string") {
    if (isFields(parent)) Reflect.deleteProperty(parent, last);
  } else if (Array.isArray(parent) && last !== undefined) {
    const index = parent.indexOf(valueIn(parent, [last]));
    if (index !== -1) parent.splice(index, 1);
  }
}

/** Sets a value; what leads there and is gone is made anew, items at their place. */
function set(object: unknown, declared: unknown, steps: readonly PathStep[], value: unknown): void {
  let at: unknown = object;
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const here = steps.slice(0, index + 1);
    if (typeof step === "string") {
      if (!isFields(at)) return;
      if (isLast) Reflect.set(at, step, value);
      else if (at[step] === undefined) Reflect.set(at, step, isFields(steps[index + 1]) ? [] : {});
      at = at[step];
      continue;
    }
    if (!Array.isArray(at)) return;
    const items: unknown[] = at;
    let item = valueIn(items, [step]);
    if (item === undefined) {
      item = { ...step };
      items.splice(placeOf(items, valueIn(declared, here.slice(0, -1)), step), 0, item);
    }
    at = item;
  }
}

/** Behind the item that is declared before it: the order of some items counts. */
function placeOf(items: readonly unknown[], declared: unknown, step: PathStep): number {
  const all: readonly unknown[] = Array.isArray(declared) ? declared : [];
  const index = all.indexOf(valueIn(all, [step]));
  const names = all.slice(0, Math.max(0, index)).map((one) => (isFields(one) ? one.name : undefined));
  const before = items.findLastIndex((one) => isFields(one) && names.includes(one.name));
  return index === -1 ? items.length : before + 1;
}
