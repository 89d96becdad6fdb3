import { otherSlot, type Slot, slots } from "./slots.ts";

/**
 * What the routing objects say: the main object sends requests to `main`; a canary object, where the router
 * has one, sends `weight` per cent of them to `candidate` instead, and all that carry the preview header.
 * `main === candidate` is the state between commit and re-arm; the canary object then changes nothing.
 */
export interface Routing {
  readonly main: Slot;
  readonly candidate: Slot;
  /** 0..100, in hundredths at the finest. */
  readonly weight: number;
  /** The slot that testers get. @default they get what everybody gets */
  readonly testers?: Slot;
  /** How many of the requests the candidate gets a copy of, per cent; the answers to copies reach nobody. @default none */
  readonly mirror?: number;
  /** Clients stay on the slot that they got while this release goes live, by a cookie with its number. @default each request for itself */
  readonly pinned?: number;
}

/** What routing objects say beside the split. */
type Extras = Pick<Routing, "testers" | "mirror" | "pinned">;

function extrasOf({ testers, mirror, pinned }: ChangedRouting): Extras {
  return {
    ...(testers === undefined ? {} : { testers }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}

/** A routing with some of it changed; `undefined` takes something away. Pure. */
export function changed(routing: Routing, to: ChangedRouting): Routing {
  const { main, candidate, weight, ...extras } = { ...routing, ...to };
  return { main, candidate, weight, ...extrasOf(extras) };
}

interface ChangedRouting extends Partial<Pick<Routing, "main" | "candidate" | "weight">> {
  readonly testers?: Slot | undefined;
  readonly mirror?: number | undefined;
  readonly pinned?: number | undefined;
}

/** What a request can be forced to: the slot that has the traffic by default, or the one that gets a share of it. */
export type Side = "main" | "candidate";

/** How a router moves traffic, as far as the order of writes depends on it. */
export interface Movement {
  /** Splits traffic by per cent. */
  readonly weights: boolean;
  /** After all traffic was moved by weight, the main object has to follow by a second write. @default true */
  readonly commit?: boolean;
}

/** Share of production traffic per slot in per cent; the sum is 100. What is declared are hundredths at the finest. */
export interface TrafficSplit {
  readonly blue: number;
  readonly green: number;
}

/** All traffic to one slot, the other one armed at weight 0. */
export function settledOn(slot: Slot): Routing {
  return { main: slot, candidate: otherSlot(slot), weight: 0 };
}

/**
 * The same split as routers have it that need no commit: a slot with all of the traffic is the main one, whatever led there, and the other
 * one is armed.
 */
export function settled(routing: Routing): Routing {
  const { main, candidate, weight } = routing;
  if (main === candidate || weight <= 0) return { ...settledOn(main), ...extrasOf(routing) };
  return weight >= 100 ? { ...settledOn(candidate), ...extrasOf(routing) } : routing;
}

/** The least of the traffic that a router of fine shares can say, and one of whole per cent; per cent. */
export const finestShare = 0.01;
export const wholeShare = 1;

/** Per cent, to the hundredth: a share is an integer out of ten thousand. Pure. */
export function toShare(percent: number): number {
  return Math.round(percent * 100) / 100;
}

/** A share in whole numbers: out of a hundred, or out of ten thousand where it is no whole per cent. Pure. */
export function partsOf(share: number): { readonly parts: number; readonly of: 100 | 10_000 } {
  return Number.isInteger(share) ? { parts: share, of: 100 } : { parts: Math.round(100 * share), of: 10_000 };
}

/** Whether per cent are a share that can be declared. Pure. */
export function isShare(percent: number): boolean {
  return percent >= 0 && percent <= 100 && toShare(percent) === percent;
}

/** The nearest share at which both slots have some of the traffic, `finest` being the least that a router can say. Pure. */
export function sharedAsNear(percent: number, finest: number): number {
  return toShare(Math.min(100 - finest, Math.max(finest, Math.round(percent / finest) * finest)));
}

export function splitOf(routing: Routing): TrafficSplit {
  const candidateShare = routing.main === routing.candidate ? 0 : routing.weight;
  const share = { [routing.main]: toShare(100 - candidateShare) } as Partial<Record<Slot, number>>;
  if (routing.main !== routing.candidate) share[routing.candidate] = candidateShare;
  return { blue: share.blue ?? 0, green: share.green ?? 0 };
}

/** The slot that carries most of the traffic; `main` when both carry the same. */
export function liveSlot(routing: Routing): Slot {
  return routing.main !== routing.candidate && routing.weight > 50 ? routing.candidate : routing.main;
}

/** What a routing means for clients, for example `blue` or `75 % blue, 25 % green`. */
export function describeTraffic(routing: Routing): string {
  const split = splitOf(routing);
  const sharing = slots.filter((slot) => split[slot] > 0);
  if (sharing.length === 1) return sharing[0] ?? "";
  return sharing.map((slot) => `${split[slot]} % ${slot}`).join(", ");
}

/** What it says beside the split, for example `testers on green`; `undefined`: nothing. */
export function describeExtras({ candidate, testers, mirror, pinned }: Routing): string | undefined {
  const said = [
    ...(testers === undefined ? [] : [`testers on ${testers}`]),
    ...(mirror === undefined ? [] : [`copies of ${mirror} % to ${candidate}`]),
    ...(pinned === undefined ? [] : ["clients stay where they are"]),
  ];
  return said.length === 0 ? undefined : said.join(", ");
}

export function sameRouting(a: Routing, b: Routing): boolean {
  const isSameSplit = a.main === b.main && a.candidate === b.candidate && a.weight === b.weight;
  return isSameSplit && a.testers === b.testers && a.mirror === b.mirror && a.pinned === b.pinned;
}

export type RoutingStepName =
  | "arm"
  | "shift"
  | "commit"
  | "re-arm"
  | "switch"
  /** Testers get the candidate, or again what everybody gets. */
  | "testers"
  /** The candidate gets copies, or none any more. */
  | "mirror"
  /** Clients stay where they are from now on. */
  | "pin"
  /** Clients that were kept on a slot go where everybody goes. */
  | "unpin";

/** One write of one routing object, and what clients must see after it. */
export interface RoutingStep {
  readonly name: RoutingStepName;
  readonly routing: Routing;
  /** Whether clients see this change. If not, it is proved with the preview header forced to each side. */
  readonly visible: boolean;
}

/**
 * The writes that bring all traffic from wherever it is to `target`, each changing exactly one routing object.
 * With weights: arm the target at 0, shift the weight to 100, commit the main backend, re-arm the old slot at 0.
 * The main backend is only ever written while no traffic goes through it, since changing the backend of an
 * Ingress under traffic is where controllers drop requests (kubernetes/ingress-nginx #4469, #6557; Contour #2151).
 * Where no commit is needed: the weight alone. Without weights: one write of the main backend. Starts from any state that a killed run can leave behind.
 *
 * Copies of requests end before traffic moves. Clients that are kept on a slot are let go once all others are where they are to be, so that
 * none moves twice, and before the main backend changes. Testers come last: they are on the target already, or on what is left.
 *
 * `mainIsEmpty`: the slot that the main object leads to has no ready endpoint. Then no request can be dropped by changing it, and it comes
 * first: ingress-nginx answers 503 for such a main Ingress before it looks at the weight or the header of a canary
 * (rootfs/etc/nginx/lua/balancer.lua: `balance()` returns without a balancer before `route_to_alternative_balancer`).
 */
export function stepsTo(
  target: Slot,
  current: Routing,
  capabilities: Movement,
  { mainIsEmpty = false }: { readonly mainIsEmpty?: boolean } = {},
): RoutingStep[] {
  if (!capabilities.weights) {
    return current.main === target ? [] : [{ name: "switch", routing: settledOn(target), visible: true }];
  }
  const steps: RoutingStep[] = [];
  let at = current;
  const to = (name: RoutingStepName, change: ChangedRouting, visible: boolean) => {
    const routing = changed(at, change);
    if (sameRouting(at, routing)) return;
    steps.push({ name, routing, visible });
    at = routing;
  };
  const letGo = () => {
    to("unpin", { pinned: undefined }, true);
    to("testers", { testers: undefined }, false);
  };
  to("mirror", { mirror: undefined }, false);
  if (capabilities.commit === false) {
    const name = current.main === target ? "re-arm" : "shift";
    // The cookie stands where the weights do.
    to(
      name,
      { ...settledOn(target), pinned: undefined },
      splitOf(current)[target] < 100 || at.pinned !== undefined,
    );
    letGo();
    return steps;
  }
  if (at.main === target) {
    // Traffic may still be (partly) on the other slot through the canary object: bring it back, then re-arm.
    const wasArmed = at.candidate !== target;
    // The canary object has testers for its own slot alone.
    const own = wasArmed ? {} : { testers: undefined };
    to("re-arm", { ...settledOn(target), ...own }, wasArmed && at.weight > 0);
    letGo();
    return steps;
  }
  if (mainIsEmpty) {
    // What the canary object would still take away from the target goes first; clients see nothing of it.
    if (at.candidate !== target) to("arm", { candidate: target, weight: 0, testers: undefined }, false);
    to("commit", { main: target, pinned: undefined }, true);
    to("re-arm", { ...settledOn(target), testers: undefined }, false);
    return steps;
  }
  if (at.candidate !== target) to("arm", { candidate: target, weight: 0, testers: undefined }, false);
  to("shift", { weight: 100 }, true);
  letGo();
  to("commit", { main: target }, false);
  to("re-arm", settledOn(target), false);
  return steps;
}
