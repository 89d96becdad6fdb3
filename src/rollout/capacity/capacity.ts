import { deploymentSpec } from "../../component/deployment.ts";
import { type Amounts, podRequests, times } from "../../core/capacity/amounts.ts";
import type { PodSpecShape, TolerationShape } from "../../core/capacity/objects.ts";
import { type Change, type Fit, roomFor } from "../../core/capacity/room.ts";
import type { ModelSpec } from "../../core/model.ts";
import { podScheme } from "../../core/pod-address.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { hasEnded } from "../../slots/occupants.ts";
import type { RolloutContext } from "../context.ts";
import type { Observation, PodObservation } from "../observation.ts";
import { seeRoom } from "./cluster-room.ts";

/** Pods that a slot is to get. */
export interface CapacityQuestion {
  /** The model as it is to be. */
  readonly spec: ModelSpec;
  readonly observation: Observation;
  readonly slot: Slot;
  readonly replicas: number;
  /** Slots whose pods are gone before these come. @default none */
  readonly vacated?: readonly Slot[];
}

export interface Capacity {
  /** Replicas beside those that the slot has already. */
  readonly replicas: number;
  /** What all of these ask for together. */
  readonly requests: Amounts;
  readonly verdict:
    | { readonly kind: "fits" }
    | {
        readonly kind: "short";
        readonly fit: Extract<Fit, { kind: "short" }>;
        /** What may add nodes. */
        readonly autoscaler: string | undefined;
      }
    | { readonly kind: "unknown"; readonly why: string };
}

/** Whether the nodes have room for a slot's new pods. `undefined`: somebody else runs the slot's pods. */
export async function capacityFor(
  context: RolloutContext,
  question: CapacityQuestion,
): Promise<Capacity | undefined> {
  const { api, signal, namespace } = context;
  const template = podTemplate(question);
  if (template === undefined) return undefined;
  const spec = await withRuntimeClass(context, template);
  const changes = changesOf(question, spec, namespace);
  const replicas = Math.max(0, ...changes.map(({ add }) => add.reduce((sum, { count }) => sum + count, 0)));
  const { pods: _pods, ...each } = podRequests(spec);
  const about = { replicas, requests: times(each, replicas) };
  if (replicas === 0) return { ...about, verdict: { kind: "fits" } };
  const seen = await seeRoom(api, signal);
  if (seen.kind === "unknown") return { ...about, verdict: seen };
  for (const change of changes) {
    const fit = roomFor(seen.room, change);
    if (fit.kind === "short") {
      return { ...about, verdict: { kind: "short", fit, autoscaler: seen.autoscaler } };
    }
  }
  return { ...about, verdict: { kind: "fits" } };
}

/** The slots that a rollout empties before it fills another one. */
export function vacatedFor(mode: ReleaseMode, slot: Slot): readonly Slot[] {
  return mode.kind === "recreate" ? [otherSlot(slot)] : [];
}

/** What the slot's Deployment will say of its pods. */
function podTemplate({ spec, slot }: CapacityQuestion): PodSpecShape | undefined {
  const { image, versions: _, ...runs } = spec.slots[slot];
  if (image === undefined) return undefined;
  const selector = runs.selector ?? { app: spec.name, version: slot };
  const { template } = deploymentSpec(
    spec.name,
    selector,
    { ...runs, image } as Parameters<typeof deploymentSpec>[2],
    spec.server,
    podScheme(spec.ingress.protocol, spec.server),
  ) as { template?: { spec?: PodSpecShape } };
  return template?.spec ?? {};
}

/**
 * The moments at which pods need a place. Pods of another release in the same slot are replaced one by one: the first new one
 * comes while all of them are there, and in the end all new ones are there in their place.
 */
function changesOf(
  { observation, slot, replicas, vacated = [], spec: model }: CapacityQuestion,
  spec: PodSpecShape,
  namespace: string,
): Change[] {
  const names = (pods: readonly PodObservation[]) => pods.map(({ name }) => `${namespace}/${name}`);
  const gone = names(vacated.flatMap((one) => observation.slots[one].pods));
  const present = observation.slots[slot].pods.filter((pod) => !pod.terminating && !hasEnded(pod));
  const isTheSame = observation.slots[slot].deployment?.release === model.slots[slot].release;
  if (present.length === 0 || isTheSame) {
    const missing = Math.max(0, replicas - (isTheSame ? present.length : 0));
    return [{ add: [{ count: missing, spec }], remove: new Set(gone) }];
  }
  return [
    { add: [{ count: Math.min(1, replicas), spec }], remove: new Set(gone) },
    { add: [{ count: replicas, spec }], remove: new Set([...gone, ...names(present)]) },
  ];
}

interface RuntimeClass {
  readonly overhead?: { readonly podFixed?: PodSpecShape["overhead"] };
  readonly scheduling?: {
    readonly nodeSelector?: PodSpecShape["nodeSelector"];
    readonly tolerations?: readonly TolerationShape[];
  };
}

/** What the class of a pod's runtime adds to the pod, where it may be read. */
async function withRuntimeClass({ api, signal }: RolloutContext, spec: PodSpecShape): Promise<PodSpecShape> {
  if (spec.runtimeClassName === undefined) return spec;
  try {
    const path = `/apis/node.k8s.io/v1/runtimeclasses/${spec.runtimeClassName}`;
    const found = await api.find<RuntimeClass>(path, { signal });
    const { nodeSelector, tolerations = [] } = found?.scheduling ?? {};
    const overhead = found?.overhead?.podFixed;
    return {
      ...spec,
      ...(overhead === undefined ? {} : { overhead }),
      nodeSelector: { ...spec.nodeSelector, ...nodeSelector },
      tolerations: [...(spec.tolerations ?? []), ...tolerations],
    };
  } catch (error) {
    if (error instanceof KubernetesApiError) return spec;
    throw error;
  }
}
