import { isFields } from "../../core/fields.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import type { PatchOperation } from "../../kubernetes/json-patch.ts";
import { replicasManager } from "../plan/handover.ts";
import type { FoundObject } from "../record/adoption.ts";

type Entry = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;

/**
 * A field manager whose fields Pulumi's Kubernetes provider takes over at its first write. Only with all fields in one hand can a
 * later release remove what the found template had: the API server keeps what anybody else still owns.
 */
const handedOver = "before-first-apply";

function entriesOf(object: KubernetesObject): Entry[] {
  return (object.metadata?.managedFields ?? []).filter(
    (entry): entry is Entry => typeof entry === "object" && entry !== null,
  );
}

/** Controllers write through subresources (`status`, `scale`): those fields stay theirs. */
function isController(entry: Entry): boolean {
  return typeof entry.subresource === "string" && entry.subresource !== "";
}

/** Who owned the fields that are declared. Pure. */
export function declaredOwners(object: KubernetesObject): Entry[] {
  return entriesOf(object).filter((entry) => !isController(entry));
}

/**
 * The patch that hands all declared fields over; `undefined` when they are. `autoscaled`: an autoscaler sets the number of replicas, so
 * that Pulumi must never own it: the API server would take a number that its last owner gives up for 1. Pure.
 */
export function handOver(object: KubernetesObject, autoscaled = false): PatchOperation[] | undefined {
  const declared = declaredOwners(object);
  const foreign = declared.filter(
    ({ manager, operation }) =>
      !(manager === handedOver && operation === "Update") && manager !== replicasManager,
  );
  if (foreign.length === 0) return undefined;
  // One entry per API version: fields of different versions must not be mixed.
  const byVersion = new Map<string, Entry>();
  for (const entry of declared) {
    const version = String(entry.apiVersion);
    const former = byVersion.get(version);
    byVersion.set(version, {
      apiVersion: version,
      fieldsType: "FieldsV1",
      manager: handedOver,
      operation: "Update",
      fieldsV1: union(former?.fieldsV1, entry.fieldsV1),
    });
  }
  if (!autoscaled) return ownersPatch(object, [...byVersion.values()]);
  return ownersPatch(object, [
    ...[...byVersion.values()].map((entry) => ({ ...entry, fieldsV1: withoutReplicas(entry.fieldsV1) })),
    {
      apiVersion: object.apiVersion ?? "apps/v1",
      fieldsType: "FieldsV1",
      manager: replicasManager,
      operation: "Apply",
      fieldsV1: { "f:spec": { "f:replicas": {} } },
    },
  ]);
}

function withoutReplicas(fields: unknown): unknown {
  if (!isFields(fields) || !isFields(fields["f:spec"])) return fields;
  const { "f:replicas": _replicas, ...spec } = fields["f:spec"];
  return { ...fields, "f:spec": spec };
}

/** The patch that gives the fields back to whom they belonged. Pure. */
export function giveBackOwners(object: KubernetesObject, found: FoundObject): PatchOperation[] {
  return ownersPatch(object, found.managedFields as Entry[]);
}

function ownersPatch(object: KubernetesObject, declared: readonly Entry[]): PatchOperation[] {
  return [
    { op: "test", path: "/metadata/uid", value: object.metadata?.uid },
    {
      op: "replace",
      path: "/metadata/managedFields",
      value: [...declared, ...entriesOf(object).filter(isController)],
    },
    // The API server refuses it if somebody wrote in between.
    { op: "replace", path: "/metadata/resourceVersion", value: object.metadata?.resourceVersion },
  ];
}

function union(a: unknown, b: unknown): unknown {
  if (!isFields(a)) return b;
  if (!isFields(b)) return a;
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) result[key] = key in a ? union(a[key], value) : value;
  return result;
}

/** Written by controllers all the time: the present value counts, not the one that was found. */
const currentWins = new Set(["deployment.kubernetes.io/revision"]);

/** Labels or annotations as they were found, with what others have added since. `declared` were ours. Pure. */
export function restored(current: Texts, found: Texts, declared: readonly string[]): Texts {
  const others = Object.entries(current).filter(([key]) => !declared.includes(key) || currentWins.has(key));
  const before = Object.entries(found).filter(([key]) => !(currentWins.has(key) && key in current));
  return Object.fromEntries([...others, ...before]);
}

/** The patch that makes labels, annotations and, for an Ingress, the spec what they were; `undefined` when they are. Pure. */
export function restore(
  object: KubernetesObject,
  wanted: { readonly labels: Texts; readonly annotations: Texts; readonly spec?: unknown },
): PatchOperation[] | undefined {
  const { labels = {}, annotations = {}, uid, resourceVersion } = object.metadata ?? {};
  const changes: PatchOperation[] = [
    ...(same(labels, wanted.labels) ? [] : [set("/metadata/labels", wanted.labels)]),
    ...(same(annotations, wanted.annotations) ? [] : [set("/metadata/annotations", wanted.annotations)]),
    ...(wanted.spec === undefined || same(object.spec, wanted.spec) ? [] : [set("/spec", wanted.spec)]),
  ];
  if (changes.length === 0) return undefined;
  return [
    { op: "test", path: "/metadata/uid", value: uid },
    ...changes,
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
  ];
}

function set(path: string, value: unknown): PatchOperation {
  return { op: "add", path, value };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}
