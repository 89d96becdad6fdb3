import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel } from "../../core/names.ts";
import type { Note } from "../../core/note.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { PathStep } from "../../kubernetes/managed-fields.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import { declaredFields } from "./declared-fields.ts";
import { type DeclaredObject, declaredObjects, isRouting, objectPath } from "./declared-objects.ts";
import { describeHandChange, type HandChange, handChangesOf } from "./hand-changes.ts";

interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly signal?: AbortSignal;
}

/** Kinds whose changes are of consequence: what a slot runs, how large it is, who its pods are, where the traffic goes. */
const watched: ReadonlySet<string> = new Set(["Deployment", "Service", "HorizontalPodAutoscaler"]);

/**
 * Everything that was changed of a model by hand. Reads its objects; what may not be read is left out. With a routing, what says where
 * traffic goes is compared with that one: without it, whoever moved traffic by hand is among those who changed something.
 */
export async function findHandChanges(
  { api, namespace, signal }: Place,
  spec: ModelSpec,
  routing?: Routing,
): Promise<HandChange[]> {
  const objects = declaredObjects(spec).filter(
    (object) => watched.has(object.kind) || isRouting(spec, object),
  );
  const found = await Promise.all(
    objects.map(async (object): Promise<HandChange[]> => {
      const live = await find(api, objectPath(namespace, object), signal);
      if (live === undefined) return [];
      const slot = slotOf(spec, object);
      const declared = declaredFields(spec, object, slot, routing);
      return handChangesOf({ ...object, slot }, live, declared, isMeantOf(spec, object));
    }),
  );
  return found.flat();
}

async function find(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject | undefined> {
  try {
    return await api.find<KubernetesObject>(path, signal === undefined ? {} : { signal });
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}

function slotOf(spec: ModelSpec, { kind, name }: DeclaredObject): Slot | undefined {
  const names = namesOfModel(spec.name, spec.slots, spec.ingress);
  const kinds: Partial<Record<DeclaredObject["kind"], Readonly<Record<Slot, string>>>> = {
    Deployment: names.deployment,
    Service: names.service,
    HorizontalPodAutoscaler: names.autoscaler,
  };
  return slots.find((slot) => kinds[kind]?.[slot] === name);
}

/** Which fields of an object are of consequence. */
export function isMeantOf(spec: ModelSpec, object: DeclaredObject): (path: readonly PathStep[]) => boolean {
  const slot = slotOf(spec, object);
  const annotations = isRouting(spec, object) ? ownAnnotations(spec, object) : undefined;
  return (path) => isMeant(spec, object.kind, slot, annotations, path);
}

/** The annotations by which an ingress controller is told something. */
function ownAnnotations(spec: ModelSpec, object: DeclaredObject): ReadonlySet<string> {
  const declared = declaredFields(spec, object, undefined, settledOn("blue")) as Annotated | undefined;
  return new Set(
    Object.keys(declared?.metadata?.annotations ?? {}).filter((key) => !key.startsWith("pulumi.com/")),
  );
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
}

function isMeant(
  spec: ModelSpec,
  kind: DeclaredObject["kind"],
  slot: Slot | undefined,
  /** Those that the router writes; `undefined`: it is no object of the routing. */
  annotations: ReadonlySet<string> | undefined,
  [first, second, third]: readonly PathStep[],
): boolean {
  if (first === "spec") {
    const isAutoscaled = slot !== undefined && spec.slots[slot].autoscaling !== undefined;
    return !(kind === "Deployment" && second === "replicas" && isAutoscaled);
  }
  // Others note things of their own there; what the ingress controller reads is of consequence.
  const isAnnotation = annotations !== undefined && first === "metadata" && second === "annotations";
  if (!isAnnotation || typeof third !== "string") return false;
  return annotations.has(third) || /ingress\.kubernetes\.io\//.test(third);
}

/** What was changed by hand, one note for each object. */
export function handChangeNotes(record: RolloutRecord, changes: readonly HandChange[]): Note[] {
  const objects = new Map<string, HandChange[]>();
  for (const change of changes) {
    const key = `${change.kind} ${change.name}`;
    objects.set(key, [...(objects.get(key) ?? []), change]);
  }
  return [...objects].map(([object, all]) => ({
    code: "changed-by-hand",
    message: `${object}${whatItRuns(record, all[0]?.slot)} was changed by hand: ${all.map(describeHandChange).join("; ")}.`,
    hint: "It stays so until modelswitch writes that object again, which puts back what is declared of it. To keep it, put it into the configuration (and release it, where it is of a slot).",
  }));
}

function whatItRuns(record: RolloutRecord, slot: Slot | undefined): string {
  if (slot === undefined) return "";
  const release = releaseOf(record, slot)?.number;
  return release === undefined ? ` (${slot})` : ` (${slot}, release ${release})`;
}
