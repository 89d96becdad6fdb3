import { type Routing, type RoutingStep, sameRouting, settledOn, splitOf, stepsTo } from "../routing.ts";
import { otherSlot, type Slot } from "../slots.ts";
import { goalOf, type RolloutPlan, type RolloutState } from "./state.ts";

/** What is known of a slot at this moment. */
export interface SlotWorld {
  /** Number of the release that it runs; `undefined`: none of ours. */
  readonly release: number | undefined;
  /** Replicas that it should have. */
  readonly desired: number;
  /** All of them are ready endpoints, and there is at least one. */
  readonly ready: boolean;
  /** At least one is. */
  readonly usable: boolean;
  /** Since when it has been ready without a break, as far as was watched. Milliseconds since the Unix epoch. */
  readonly readySince: number | undefined;
}

/** What was observed before a step. Nothing in it is remembered. */
export interface World {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly routing: Routing;
  readonly slots: Readonly<Record<Slot, SlotWorld>>;
  /** Whether nothing is in flight in the slot that lost the traffic; `undefined`: nothing shows it. */
  readonly drained: boolean | undefined;
  /** Whether a change of a slot's pods was begun that nobody saw the end of. */
  readonly unfinished: boolean;
  readonly capabilities: { readonly weights: boolean };
}

/** The one step that comes next. */
export type Action =
  /** Put the release into the slot at its full size. */
  | { readonly kind: "deploy"; readonly slot: Slot; readonly release: number }
  | { readonly kind: "warm-up"; readonly slot: Slot }
  | { readonly kind: "verify"; readonly slot: Slot }
  /** Write one routing object and prove it; `settled` when the phase then has the routing it asks for. */
  | { readonly kind: "route"; readonly step: RoutingStep; readonly settled: boolean }
  /** The routing is as it should be, but nobody has proved it yet. */
  | { readonly kind: "prove"; readonly routing: Routing }
  | { readonly kind: "scale-down"; readonly slot: Slot; readonly replicas: number }
  /** Wait, and look again. `until` is when it is over at the latest, where that is known. */
  | {
      readonly kind: "wait";
      readonly for: "readiness" | "settling" | "hold" | "soak" | "drain" | "rollback-window";
      readonly slot: Slot;
      readonly until: number | undefined;
    }
  /** The phase or step has what it wanted. */
  | { readonly kind: "complete" }
  /** Nothing is to be done now. */
  | { readonly kind: "rest"; readonly why: "finished" | "paused" }
  /** Going on would break a rule. */
  | { readonly kind: "blocked"; readonly reason: string };

/**
 * The next step of a rollout, from what is remembered and what is observed. Pure; the executor takes the step, records the event
 * and asks again. Rules: a share only grows while its slot is ready (on the way back: while it has a ready pod at all); a
 * write changes one routing object; a slot that carries traffic is neither changed nor scaled down.
 */
export function next(plan: RolloutPlan, state: RolloutState, world: World): Action {
  if (state.phase === "done") return { kind: "rest", why: "finished" };
  const { target } = state;
  switch (state.phase) {
    case "deploy":
      return state.paused ? paused : deploy(plan, state, world);
    case "warm-up":
      if (state.paused) return paused;
      return whenReady(plan, target, world, { kind: "warm-up", slot: target });
    case "verify":
      if (state.paused) return paused;
      return whenReady(plan, target, world, { kind: "verify", slot: target });
    case "shift":
      return shift(plan, state, world);
    case "cut-over":
      return cutOver(plan, state, world);
    case "soak": {
      if (state.paused) return paused;
      const until = state.since + plan.soakMs;
      if (state.promoted || world.now >= until) return complete;
      return { kind: "wait", for: "soak", slot: target, until };
    }
    case "drain": {
      const loser = otherSlot(goalOf(state));
      if (splitOf(world.routing)[loser] > 0) return foreign(loser);
      const until = state.since + plan.drainMs;
      if (world.slots[loser].desired === 0 || world.drained === true || world.now >= until) return complete;
      return { kind: "wait", for: "drain", slot: loser, until };
    }
    case "scale-down":
      return scaleDown(plan, state, world);
  }
}

const paused: Action = { kind: "rest", why: "paused" };
const complete: Action = { kind: "complete" };

function deploy(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const slot = world.slots[state.target];
  const differs = slot.release !== state.release;
  if (splitOf(world.routing)[state.target] > 0 && differs) return foreign(state.target);
  if (differs || slot.desired < plan.replicas || world.unfinished) {
    return { kind: "deploy", slot: state.target, release: state.release };
  }
  if (!isReady(plan, slot)) return { kind: "wait", for: "readiness", slot: state.target, until: undefined };
  if (plan.readiness === "any") return complete;
  const until = (slot.readySince ?? world.now) + plan.settleMs;
  return world.now >= until ? complete : { kind: "wait", for: "settling", slot: state.target, until };
}

function isReady(plan: RolloutPlan, slot: SlotWorld): boolean {
  return plan.readiness === "all" ? slot.ready : slot.usable;
}

function whenReady(plan: RolloutPlan, slot: Slot, world: World, action: Action): Action {
  if (isReady(plan, world.slots[slot])) return action;
  return { kind: "wait", for: "readiness", slot, until: undefined };
}

function shift(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const { target, from } = state;
  const step = plan.steps[state.stepIndex];
  if (step === undefined || state.promoted || !world.capabilities.weights) {
    return state.paused ? paused : complete;
  }
  // Somebody else has cut over already: the next phase finishes what is left.
  if (world.routing.main === target) return foreign(target);
  const wanted: Routing = { main: from, candidate: target, weight: step.weight };
  if (sameRouting(world.routing, wanted) && state.proved) {
    const until = state.since + step.holdMs;
    if (world.now < until) return { kind: "wait", for: "hold", slot: target, until };
    return state.paused ? paused : complete;
  }
  if (state.paused) return paused;
  return whenReady(plan, target, world, towards(wanted, world.routing));
}

/** One write in the direction of a split: the target is armed before it gets a share. */
function towards(wanted: Routing, current: Routing): Action {
  if (sameRouting(wanted, current)) return { kind: "prove", routing: wanted };
  if (current.candidate !== wanted.candidate) {
    const armed: Routing = { ...wanted, weight: 0 };
    return { kind: "route", step: { name: "arm", routing: armed, visible: false }, settled: false };
  }
  return { kind: "route", step: { name: "shift", routing: wanted, visible: true }, settled: true };
}

function cutOver(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const goal = goalOf(state);
  const [step, ...rest] = stepsTo(goal, world.routing, world.capabilities);
  if (step === undefined) return state.proved ? complete : { kind: "prove", routing: settledOn(goal) };
  const grows = splitOf(step.routing)[goal] > splitOf(world.routing)[goal];
  const action: Action = { kind: "route", step, settled: rest.length === 0 };
  if (!grows) return action;
  if (state.direction === "forward") return whenReady(plan, goal, world, action);
  if (world.slots[goal].usable) return action;
  return {
    kind: "blocked",
    reason: `${goal} has no ready pod, so traffic cannot go back to it`,
  };
}

function scaleDown(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const loser = otherSlot(goalOf(state));
  if (splitOf(world.routing)[loser] > 0) return foreign(loser);
  const isSmall = world.slots[loser].desired <= plan.idleReplicas;
  if (isSmall && !world.unfinished) return complete;
  const until = state.since + plan.rollbackWindowMs;
  // Nobody goes back to what was just sent away.
  if (state.direction === "forward" && world.now < until && !isSmall) {
    return { kind: "wait", for: "rollback-window", slot: loser, until };
  }
  return { kind: "scale-down", slot: loser, replicas: plan.idleReplicas };
}

function foreign(slot: Slot): Action {
  return {
    kind: "blocked",
    reason: `${slot} carries traffic that this rollout did not send there: somebody else changed the routing`,
  };
}
