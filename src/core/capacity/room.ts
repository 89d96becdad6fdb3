import { type Amounts, amountsOf, minus, plus, podRequests } from "./amounts.ts";
import type { NodeShape, PodSpecShape } from "./objects.ts";
import { whyNotOn } from "./placement.ts";

/** A pod that is on a node, or on its way to one. */
export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly spec: PodSpecShape;
}

/** All nodes of a cluster, and what runs on them. */
export interface ClusterRoom {
  readonly nodes: readonly NodeShape[];
  /** Pods that have not ended. */
  readonly pods: readonly RunningPod[];
}

/** Replicas that are all alike. */
export interface Demand {
  readonly count: number;
  readonly spec: PodSpecShape;
}

/** What is to change at one moment: pods that come while others are still there, or are gone. */
export interface Change {
  readonly add: readonly Demand[];
  /** Names of pods that are gone by then, as `NAMESPACE/NAME`. */
  readonly remove: ReadonlySet<string>;
}

/** A resource of which there is too little. */
export interface Shortage {
  readonly resource: string;
  /** What one replica asks for. */
  readonly each: number;
  /** On all nodes that the replicas may be on. */
  readonly free: number;
  readonly allocatable: number;
  /** The most that is free on one of them. */
  readonly most: number;
}

export type Fit =
  | { readonly kind: "fits" }
  | {
      readonly kind: "short";
      /** Replicas that were to be placed, and how many of them find a place. */
      readonly asked: number;
      readonly placed: number;
      /** What one replica asks for. */
      readonly each: Amounts;
      readonly shortages: readonly Shortage[];
      /** Nodes that the replicas may be on. */
      readonly nodes: number;
      /** Nodes that they may not be on, by the reason. */
      readonly leftOut: Readonly<Record<string, number>>;
    };

interface NodeRoom {
  readonly node: NodeShape;
  readonly allocatable: Amounts;
  free: Amounts;
}

/** Sums of fractions are a hair off. */
const hair = 1e-9;

/**
 * Whether pods find a place on nodes beside what runs there: each on the first node that takes it, the largest first. Exact for replicas
 * that are all alike. Volumes, affinity between pods and topology spread are not looked at. Pure.
 */
export function roomFor(cluster: ClusterRoom, change: Change): Fit {
  const rooms = roomsOf(cluster, change.remove);
  const total = rooms.map(({ allocatable }) => allocatable).reduce(plus, {});
  const demands = change.add
    .map((demand) => ({ ...demand, each: podRequests(demand.spec) }))
    .toSorted((a, b) => shareOf(b.each, total) - shareOf(a.each, total));
  for (const { count, spec, each } of demands) {
    const eligible = rooms.filter(({ node }) => whyNotOn(node, spec) === undefined);
    const before = eligible.map(({ free }) => free);
    let placed = 0;
    for (const room of eligible) {
      while (placed < count && holds(room.free, each)) {
        room.free = minus(room.free, each);
        placed++;
      }
    }
    if (placed < count) {
      return {
        kind: "short",
        asked: count,
        placed,
        each,
        nodes: eligible.length,
        shortages: shortagesOf(eligible, before, each),
        leftOut: leftOutOf(rooms, spec),
      };
    }
  }
  return { kind: "fits" };
}

function roomsOf({ nodes, pods }: ClusterRoom, removed: ReadonlySet<string>): NodeRoom[] {
  const used = new Map<string, Amounts>();
  for (const { namespace, name, spec } of pods) {
    if (spec.nodeName === undefined || spec.nodeName === "" || removed.has(`${namespace}/${name}`)) continue;
    used.set(spec.nodeName, plus(used.get(spec.nodeName) ?? {}, podRequests(spec)));
  }
  return nodes.map((node) => {
    const allocatable = amountsOf(node.status?.allocatable);
    return { node, allocatable, free: minus(allocatable, used.get(node.metadata?.name ?? "") ?? {}) };
  });
}

function holds(free: Amounts, each: Amounts): boolean {
  return Object.entries(each).every(([resource, value]) => enough(free[resource] ?? 0, value));
}

function enough(free: number, asked: number): boolean {
  return asked === 0 || free >= asked - hair * Math.max(1, asked);
}

/** The largest part of the cluster that one pod takes of any resource. */
function shareOf(each: Amounts, total: Amounts): number {
  return Math.max(
    0,
    ...Object.entries(each).map(([resource, value]) => (value === 0 ? 0 : value / (total[resource] ?? hair))),
  );
}

/** Of what there is too little: what is missing on each node that is full. */
function shortagesOf(
  eligible: readonly NodeRoom[],
  before: readonly Amounts[],
  each: Amounts,
): readonly Shortage[] {
  const missing = (resource: string, value: number) =>
    eligible.some(({ free }) => !enough(free[resource] ?? 0, value));
  // Where every node is short of the same, the rest is no news.
  const everywhere = (resource: string, value: number) =>
    eligible.every(({ free }) => !enough(free[resource] ?? 0, value));
  const asked = Object.entries(each).filter(([, value]) => value > 0);
  const decisive = asked.filter(([resource, value]) => everywhere(resource, value));
  const short =
    decisive.length > 0 ? decisive : asked.filter(([resource, value]) => missing(resource, value));
  return short.map(([resource, value]) => {
    const free = before.map((amounts) => Math.max(0, amounts[resource] ?? 0));
    return {
      resource,
      each: value,
      free: free.reduce((sum, one) => sum + one, 0),
      allocatable: eligible.reduce((sum, { allocatable }) => sum + (allocatable[resource] ?? 0), 0),
      most: Math.max(0, ...free),
    };
  });
}

function leftOutOf(rooms: readonly NodeRoom[], spec: PodSpecShape): Readonly<Record<string, number>> {
  const reasons: Record<string, number> = {};
  for (const { node } of rooms) {
    const why = whyNotOn(node, spec);
    if (why !== undefined) reasons[why] = (reasons[why] ?? 0) + 1;
  }
  return reasons;
}
