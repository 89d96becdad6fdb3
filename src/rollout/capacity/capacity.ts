import { type Amounts, podRequests, times } from "../../core/capacity/amounts.ts";
import { type LimitViolation, limitViolations, withLimitDefaults } from "../../core/capacity/limit-range.ts";
import type { PodSpecShape, TolerationShape } from "../../core/capacity/objects.ts";
import { type QuotaProblem, quotaProblems } from "../../core/capacity/quota.ts";
import { type Change, type Demand, type Fit, roomFor } from "../../core/capacity/room.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { hasEnded } from "../../slots/occupants.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation, PodObservation } from "../observe/observation.ts";
import { seeRoom } from "./cluster-room.ts";
import { type NamespaceRules, seePods, seeRules, withPriority } from "./namespace-rules.ts";
import { plannedDeployment } from "./planned-deployment.ts";

/** Pods that a slot is to get. */
export interface CapacityQuestion {
  /** The model as it is to be. */
  readonly spec: ModelSpec;
  readonly observation: Observation;
  readonly slot: Slot;
  readonly replicas: number;
  /** Slots whose pods are gone before these come. @default none */
  readonly vacated?: readonly Slot[];
  /** Pods that come at the same time. @default none */
  readonly besides?: readonly Demand[];
  /** Other objects that are made, by the names that quotas count them by. @default none */
  readonly objects?: Readonly<Record<string, number>>;
}

export interface Capacity {
  /** These replicas as they will be. */
  readonly demand: Demand;
  /** What of the namespace may not be listed. */
  readonly unseen: readonly string[];
  /** Replicas beside those that the slot has already. */
  readonly replicas: number;
  /** What all of these ask for together. */
  readonly requests: Amounts;
  readonly verdict:
    | { readonly kind: "fits" }
    /** The namespace never lets such pods in. */
    | { readonly kind: "forbidden"; readonly violations: readonly LimitViolation[] }
    /** The namespace has no room for them. */
    | { readonly kind: "quota"; readonly problems: readonly QuotaProblem[] }
    | {
        readonly kind: "short";
        readonly fit: Extract<Fit, { kind: "short" }>;
        /** What may add nodes. */
        readonly autoscaler: string | undefined;
      }
    | { readonly kind: "unknown"; readonly why: string };
}

/** Whether the namespace lets a slot's new pods in, and the nodes have room for them. `undefined`: somebody else runs the slot's pods. */
export async function capacityFor(
  context: RolloutContext,
  question: CapacityQuestion,
): Promise<Capacity | undefined> {
  const { api, signal, namespace } = context;
  const template = plannedDeployment(question.spec, question.slot)?.spec.template.spec;
  if (template === undefined) return undefined;
  const rules = await seeRules(api, namespace, signal);
  const classed = await withPriority(api, await withRuntimeClass(context, template), rules.quotas, signal);
  const spec = withLimitDefaults(classed, rules.ranges);
  const changes = changesOf(question, spec, namespace);
  const replicas = Math.max(0, ...changes.map(({ add }) => add.reduce((sum, { count }) => sum + count, 0)));
  const { pods: _pods, ...each } = podRequests(spec);
  const demand = { count: replicas, spec };
  const about = { replicas, requests: times(each, replicas), demand, unseen: rules.unseen };
  if (replicas === 0) return { ...about, verdict: { kind: "fits" } };
  const violations = limitViolations(classed, rules.ranges);
  if (violations.length > 0) return { ...about, verdict: { kind: "forbidden", violations } };
  const problems = await quotasAgainst(context, question, rules, changes);
  if (problems.length > 0) return { ...about, verdict: { kind: "quota", problems } };
  const seen = await seeRoom(api, signal);
  if (seen.kind === "unknown") return { ...about, verdict: seen };
  for (const { add, remove } of changes) {
    const fit = roomFor(seen.room, { add: [...(question.besides ?? []), ...add], remove });
    if (fit.kind === "short") {
      return { ...about, verdict: { kind: "short", fit, autoscaler: seen.autoscaler } };
    }
  }
  return { ...about, verdict: { kind: "fits" } };
}

async function quotasAgainst(
  { api, namespace, signal }: RolloutContext,
  { besides = [], objects = {} }: CapacityQuestion,
  { quotas }: NamespaceRules,
  changes: readonly Change[],
): Promise<readonly QuotaProblem[]> {
  if (quotas.length === 0) return [];
  const pods = await seePods(api, namespace, signal);
  for (const { add, remove } of changes) {
    const gone = pods
      .filter(({ name, terminating }) => terminating || remove.has(`${namespace}/${name}`))
      .map(({ spec }) => spec);
    const problems = quotaProblems(quotas, { add: [...besides, ...add], remove: gone, objects });
    if (problems.length > 0) return problems;
  }
  return [];
}

/** The slots that a rollout empties before it fills another one. */
export function vacatedFor(mode: ReleaseMode, slot: Slot): readonly Slot[] {
  return mode.kind === "recreate" ? [otherSlot(slot)] : [];
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
