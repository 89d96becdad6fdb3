import { changed, settledOn, splitOf, stepsTo } from "../routing.ts";
import { otherSlot, type Slot } from "../slots.ts";
import { isUntouched, onceArmed, route, towards } from "./route.ts";
import { goalOf, isWayBack, type RolloutPlan, type RolloutState } from "./state.ts";
import type { Action, SmallGoal, World } from "./world.ts";

type Seen = Omit<World, "clientsAnswered">;

/**
 * The next step of a way back: clients leave the other slot as soon as the goal has a ready pod. Where the goal is smaller than the
 * load, it gets the share that it can carry at once and the rest as it grows, unless clients are not served rightly meanwhile.
 * Nothing else is waited for before all of them are there. Pure.
 */
export function goBack(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const goal = goalOf(state);
  if (splitOf(world.routing)[goal] < 100) return leave(plan, state, world, goal);
  const [step, ...rest] = stepsTo(goal, world.routing, world.capabilities);
  if (step !== undefined) return route(world.routing, step, rest.length === 0);
  if (!state.proved && !isUntouched(plan, state))
    return { kind: "prove", routing: settledOn(goal), settled: true };
  return growth(plan, state, world, goal) ?? { kind: "complete" };
}

/** The first moves: traffic to the goal, all of it or as much as it can carry. */
function leave(plan: RolloutPlan, state: RolloutState, world: World, goal: Slot): Action {
  const { routing, slots } = world;
  const { usable, desired, scalable } = slots[goal];
  if (!usable) {
    if (desired === 0 && scalable)
      return { kind: "grow", slot: goal, replicas: Math.max(1, neededBy(plan, state, world)) };
    if (plan.escapes === true) return { kind: "wait", for: "readiness", slot: goal, until: undefined };
    return { kind: "blocked", reason: `${goal} has no ready pod, so traffic cannot go back to it` };
  }
  const small = smallGoal(plan, state, world);
  if (small?.why === "share") {
    const share = Math.max(1, Math.floor((100 * small.ready) / small.needed));
    // Whoever is kept on a slot, or tests it, is let go with the last of the traffic.
    const wanted = changed(routing, {
      ...{ main: otherSlot(goal), candidate: goal, weight: share },
      mirror: undefined,
    });
    if (routing.main !== goal && splitOf(routing)[goal] < share) {
      const action = onceArmed(state, world, towards(wanted, routing, world.capabilities));
      return action.kind === "route" ? { ...action, settled: false, small } : action;
    }
    const grown = growth(plan, state, world, goal);
    if (grown !== undefined) return grown;
    const { ready, needed } = small;
    if (world.now >= state.since + world.patienceMs) {
      const reason = `${goal} has not grown beyond ${ready} of ${needed} replicas, and clients are served rightly as it is; \`modelswitch rollback --now\` sends it all`;
      return { kind: "blocked", reason };
    }
    return { kind: "wait", for: "readiness", slot: goal, until: undefined };
  }
  const mainIsEmpty = !slots[routing.main].usable;
  const [step, ...rest] = stepsTo(goal, routing, world.capabilities, { mainIsEmpty });
  if (step === undefined) return { kind: "complete" };
  const action = route(routing, step, rest.length === 0);
  const said = small === undefined || !step.visible ? action : { ...action, small };
  // Through a main object without endpoints no controller has to show a preview: there is nothing to wait for.
  return mainIsEmpty ? said : onceArmed(state, world, said);
}

function growth(plan: RolloutPlan, state: RolloutState, world: World, goal: Slot): Action | undefined {
  if (isUntouched(plan, state) || plan.mode.kind === "recreate") return undefined;
  const { desired, scalable } = world.slots[goal];
  const replicas = neededBy(plan, state, world);
  return scalable && desired < replicas ? { kind: "grow", slot: goal, replicas } : undefined;
}

/**
 * How many replicas the load needs: as many as the slot that is left has now, or had the goal when it carried everything; within the
 * bounds of the goal's autoscaler. A slot that is declared smaller on purpose stays so in a switch.
 */
export function neededBy(plan: RolloutPlan, state: RolloutState, { slots }: Pick<Seen, "slots">): number {
  const goal = slots[goalOf(state)];
  const left = slots[otherSlot(goalOf(state))];
  const now = Math.max(left.desired, left.readyReplicas);
  const hasGrown = left.autoscaled || now > left.declared;
  if (plan.cutOverOnly === true && !hasGrown) return goal.declared;
  const load = state.direction === "back" ? Math.max(plan.fromReplicas, left.autoscaled ? now : 0) : now;
  return Math.min(load, goal.limit ?? Number.POSITIVE_INFINITY);
}

/** Whether a way back leads to a slot that is too small for all of the traffic at this moment, and what follows from it. */
export function smallGoal(plan: RolloutPlan, state: RolloutState, world: World): SmallGoal | undefined {
  const ready = world.slots[goalOf(state)].readyReplicas;
  const needed = neededBy(plan, state, world);
  if (ready >= needed || plan.mode.kind === "recreate") return undefined;
  const why = (): SmallGoal["why"] => {
    if (state.now) return "now";
    if (!world.capabilities.weights) return "no-weights";
    if (world.clientsAnswered === false) return "live-is-bad";
    return "share";
  };
  return { ready, needed, why: why() };
}

/** Whether it matters for the next step if clients are served rightly: only then they are asked for. Pure. */
export function asksForClients(plan: RolloutPlan, state: RolloutState, world: World): boolean {
  if (!isWayBack(plan, state) || state.phase !== "cut-over" || state.stage !== "during") return false;
  const goal = goalOf(state);
  if (splitOf(world.routing)[goal] === 100 || !world.slots[goal].usable) return false;
  return smallGoal(plan, state, world)?.why === "share";
}
