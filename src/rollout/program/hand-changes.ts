import { mayBeSecret, showValue } from "../../config/parts/problem.ts";
import { isFields } from "../../core/fields.ts";
import type { Routing } from "../../core/routing.ts";
import { splitOf } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import {
  type FieldOwner,
  fieldOwners,
  ownedLeaves,
  type PathStep,
  pathText,
  valueIn,
} from "../../kubernetes/managed-fields.ts";
import { canonicalJson } from "../record/canonical-json.ts";
import type { DeclaredObject } from "./declared-objects.ts";

/** One field of a model's object that somebody changed past modelswitch. */
export interface HandChange {
  readonly kind: DeclaredObject["kind"];
  readonly name: string;
  /** The slot whose object it is; `undefined`: the routing. */
  readonly slot: Slot | undefined;
  /** For people, for example `spec.template.spec.containers[model].image`. */
  readonly path: string;
  /** What is declared, and what is there; values that may be secrets are hidden. */
  readonly before: unknown;
  readonly after: unknown;
  /** With what it was changed, as the API server remembers it: `kubectl set`, or the name of the field manager. */
  readonly by: string;
  /** ISO 8601. */
  readonly at: string | undefined;
}

/** Whether somebody wrote past modelswitch: neither Pulumi's provider, nor its own requests, nor what works on every cluster. */
export function isStranger({ manager, subresource }: Pick<FieldOwner, "manager" | "subresource">): boolean {
  return (subresource === "" || subresource === "scale") && !ours.test(manager) && !controllers.test(manager);
}

/** Writers that belong to modelswitch: Pulumi's provider, and its own. */
const ours = /^(pulumi-|before-first-apply$|modelswitch)/;
/** Writers that work on every cluster. */
const controllers =
  /^(kube-controller-manager|kubelet|kube-scheduler|kube-apiserver|cert-manager|external-dns)/;

/** One field that somebody changed, with the values as they are. */
export interface FieldChange {
  readonly steps: readonly PathStep[];
  /** What is declared; `undefined`: nothing. */
  readonly before: unknown;
  readonly after: unknown;
  readonly owner: FieldOwner;
}

/**
 * What was changed by hand of one object, field by field: what its field owners say, compared with what is declared as far as that is
 * known. Values that somebody else owns and that are as declared are no change. Pure.
 */
export function changedFields(
  live: KubernetesObject,
  declared: unknown,
  isMeant: (path: readonly PathStep[]) => boolean,
): FieldChange[] {
  const owners = fieldOwners(live);
  const strangers = owners.filter(isStranger);
  const own = new Set(
    owners
      .filter(({ manager }) => ours.test(manager))
      .flatMap(({ fields }) => ownedLeaves(live, fields).map(({ steps }) => pathText(steps))),
  );
  const set = strangers.flatMap((owner) =>
    ownedLeaves(live, owner.fields).flatMap(({ steps, value }): FieldChange[] => {
      if (!isMeant(steps) || own.has(pathText(steps)) || isKey(steps)) return [];
      const before = valueIn(declared, steps);
      return before !== undefined && canonicalJson(before) === canonicalJson(value)
        ? []
        : [{ steps, before, after: value, owner }];
    }),
  );
  // What was taken away has no owner; without somebody who wrote, the API server left it out. Who scales takes nothing away.
  const [newest] = strangers
    .filter(({ subresource }) => subresource === "")
    .toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  const removed =
    newest === undefined
      ? []
      : declaredLeaves(declared).flatMap(({ steps, value }): FieldChange[] =>
          isMeant(steps) && valueIn(live, steps) === undefined
            ? [{ steps, before: value, after: undefined, owner: newest }]
            : [],
        );
  const replaced = replacedItems(live, declared, set).filter(({ steps }) => isMeant(steps));
  const all = new Map([...removed, ...replaced, ...set].map((one) => [pathText(one.steps), one]));
  return [...all].toSorted(([a], [b]) => a.localeCompare(b)).map(([, one]) => one);
}

/**
 * Declared items in whose place somebody put another one. What tells items apart is the API server's to say, for example the number of a port: by
 * its name alone the other one would be the same.
 */
function replacedItems(
  live: KubernetesObject,
  declared: unknown,
  set: readonly FieldChange[],
): FieldChange[] {
  return set.flatMap(({ steps, owner }) => {
    const at = undeclaredItem(declared, steps);
    const [list, key] = [steps.slice(0, at), steps[at]];
    const items: unknown = at === -1 ? undefined : valueIn(declared, list);
    if (!Array.isArray(items) || !isFields(key)) return [];
    return items.filter(isFields).flatMap((item): FieldChange[] => {
      const fields = Object.entries(item);
      const ofKey = Object.fromEntries(fields.filter(([name]) => name in key));
      const rest = Object.fromEntries(fields.filter(([name]) => !(name in key)));
      if (Object.keys(ofKey).length === 0) return [];
      const here = [...list, ofKey];
      if (valueIn(live, here) !== undefined) return [];
      return declaredLeaves(rest, here).map((leaf) => ({
        steps: leaf.steps,
        before: leaf.value,
        after: undefined,
        owner,
      }));
    });
  });
}

/** Which of the steps leads to an item that is not declared; -1: none does. Pure. */
export function undeclaredItem(declared: unknown, steps: readonly PathStep[]): number {
  return steps.findIndex(
    (one, index) => isFields(one) && valueIn(declared, steps.slice(0, index + 1)) === undefined,
  );
}

/** The same for people: values that may be secrets are hidden. Pure. */
export function handChangesOf(
  about: Pick<HandChange, "kind" | "name" | "slot">,
  live: KubernetesObject,
  declared: unknown,
  isMeant: (path: readonly PathStep[]) => boolean,
): HandChange[] {
  return changedFields(live, declared, isMeant).map(({ steps, before, after, owner }) => {
    const names = steps.flatMap((one) => (typeof one === "string" ? [one] : Object.values(one).map(String)));
    const hide = (value: unknown) => (value !== undefined && mayBeSecret(names) ? "[hidden]" : value);
    const { kind, name, slot } = about;
    return {
      ...{ kind, name, slot },
      path: pathText(steps),
      before: hide(before),
      after: hide(after),
      by: toolOf(owner),
      at: owner.time,
    };
  });
}

/** What tells an item from the others goes with the item. */
function isKey(steps: readonly PathStep[]): boolean {
  const [item, last] = steps.slice(-2);
  return isFields(item) && typeof last === "string" && last in item;
}

function declaredLeaves(
  value: unknown,
  steps: readonly PathStep[] = [],
): { steps: readonly PathStep[]; value: unknown }[] {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (items.length > 0 && !items.some((item) => isFields(item) && typeof item.name === "string"))
      return [{ steps, value }];
    return items.flatMap((item) => {
      if (!isFields(item) || typeof item.name !== "string") return [];
      const { name, ...rest } = item;
      return declaredLeaves(rest, [...steps, { name }]);
    });
  }
  if (isFields(value))
    return Object.entries(value).flatMap(([key, inner]) => declaredLeaves(inner, [...steps, key]));
  return value === undefined || value === null || value === "" ? [] : [{ steps, value }];
}

/** `kubectl set`, `kubectl edit`, `kubectl scale`; else the name as it stands. */
function toolOf({ manager, subresource }: FieldOwner): string {
  if (manager === "kubectl" && subresource === "scale") return "kubectl scale";
  if (manager === "kubectl-client-side-apply") return "kubectl apply";
  return manager.replace(
    /^kubectl-(set|edit|rollout|patch|create|replace|annotate|label|autoscale|expose)$/,
    "kubectl $1",
  );
}

/** `spec.replicas: 2 -> 5 (kubectl scale, at 2026-11-30T02:54:15Z)`. */
export function describeHandChange({ path, before, after, by, at }: HandChange): string {
  const show = (value: unknown) =>
    value === undefined ? "(none)" : isFields(value) ? JSON.stringify(value) : showValue(value, []);
  return `${path}: ${show(before)} -> ${show(after)} (${by}${at === undefined ? "" : `, at ${at}`})`;
}

/** Whether a change says what is to run; a restart says nothing. Pure. */
export function isChoice({ path }: Pick<HandChange, "path">): boolean {
  return !path.includes("kubectl.kubernetes.io/restartedAt");
}

/** Changes by hand of what clients are served by: the slots with traffic, and the routing itself. Their size is another rule's. Pure. */
export function ofWhatServes(changes: readonly HandChange[], routing: Routing): HandChange[] {
  const split = splitOf(routing);
  return changes.filter(isChoice).filter(({ kind, slot, path }) => {
    if (slot === undefined) return true;
    return split[slot] > 0 && (kind !== "Deployment" || path.startsWith("spec.template"));
  });
}
