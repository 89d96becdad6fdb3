import { deploymentSpec } from "../../component/deployment.ts";
import { withPodDefaults } from "../../component/pod-defaults.ts";
import { mayBeSecret, showValue } from "../../config/parts/problem.ts";
import { isFields } from "../../core/fields.ts";
import type { ModelSpec } from "../../core/model.ts";
import { podScheme } from "../../core/pod-address.ts";
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

/** Writers that belong to modelswitch: Pulumi's provider, and its own. */
const ours = /^(pulumi-|before-first-apply$|modelswitch)/;
/** Writers that work on every cluster. */
const controllers =
  /^(kube-controller-manager|kubelet|kube-scheduler|kube-apiserver|cert-manager|external-dns)/;

/**
 * What was changed by hand of one object, field by field: what its field owners say, compared with what is declared as far as that is
 * known. Values that somebody else owns and that are as declared are no change. Pure.
 */
export function handChangesOf(
  about: Pick<HandChange, "kind" | "name" | "slot">,
  live: KubernetesObject,
  declared: unknown,
  isMeant: (path: readonly PathStep[]) => boolean,
): HandChange[] {
  const owners = fieldOwners(live).filter(({ subresource }) => subresource === "" || subresource === "scale");
  const strangers = owners.filter(({ manager }) => !ours.test(manager) && !controllers.test(manager));
  const own = new Set(
    owners
      .filter(({ manager }) => ours.test(manager))
      .flatMap(({ fields }) => ownedLeaves(live, fields).map(({ steps }) => pathText(steps))),
  );
  const change = (
    steps: readonly PathStep[],
    before: unknown,
    after: unknown,
    owner: FieldOwner | undefined,
  ) => {
    const names = steps.flatMap((one) => (typeof one === "string" ? [one] : Object.values(one).map(String)));
    const hide = (value: unknown) => (value !== undefined && mayBeSecret(names) ? "[hidden]" : value);
    return {
      ...about,
      path: pathText(steps),
      before: hide(before),
      after: hide(after),
      by: owner === undefined ? "somebody" : toolOf(owner),
      at: owner?.time,
    };
  };
  const set = strangers.flatMap((owner) =>
    ownedLeaves(live, owner.fields).flatMap(({ steps, value }) => {
      if (!isMeant(steps) || own.has(pathText(steps)) || isKey(steps)) return [];
      const before = valueIn(declared, steps);
      return JSON.stringify(before) === JSON.stringify(value) ? [] : [change(steps, before, value, owner)];
    }),
  );
  // What was taken away has no owner; without somebody who wrote, the API server left it out.
  const [newest] = strangers.toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  const removed =
    newest === undefined
      ? []
      : declaredLeaves(declared).flatMap(({ steps, value }) =>
          isMeant(steps) && valueIn(live, steps) === undefined
            ? [change(steps, value, undefined, newest)]
            : [],
        );
  return [...new Map([...removed, ...set].map((one) => [one.path, one])).values()].toSorted((a, b) =>
    a.path.localeCompare(b.path),
  );
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
    if (items.length > 0 && !items.some(isFields)) return [{ steps, value }];
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

/** What a slot's Deployment is declared as; `undefined` where it has none. Pure. */
export function declaredDeployment(spec: ModelSpec, slot: Slot): unknown {
  const { image, versions: _versions, ...rest } = spec.slots[slot];
  if (image === undefined) return undefined;
  const selector = rest.selector ?? { app: spec.name, version: slot };
  const scheme = podScheme(spec.ingress.protocol, spec.server);
  const declared = deploymentSpec(
    spec.name,
    selector,
    { ...rest, image } as Parameters<typeof deploymentSpec>[2],
    spec.server,
    scheme,
  );
  return { spec: withPodDefaults(declared, rest.podDefaults) };
}

/** `spec.replicas: 2 -> 5 (kubectl scale, at 2026-11-30T02:54:15Z)`. */
export function describeHandChange({ path, before, after, by, at }: HandChange): string {
  const show = (value: unknown) =>
    value === undefined ? "(none)" : isFields(value) ? JSON.stringify(value) : showValue(value, []);
  return `${path}: ${show(before)} -> ${show(after)} (${by}${at === undefined ? "" : `, at ${at}`})`;
}
