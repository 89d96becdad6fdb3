import { type Routing, type RoutingStep, sameRouting, splitOf } from "../routing.ts";
import type { RolloutPlan, RolloutState } from "./state.ts";
import type { Action, World } from "./world.ts";

/** One write in the direction of a split: the target is armed before it gets a share. Pure. */
export function towards(wanted: Routing, current: Routing): Action {
  if (sameRouting(wanted, current)) return { kind: "prove", routing: wanted, settled: true };
  if (current.candidate !== wanted.candidate) {
    const armed: Routing = { ...wanted, weight: 0 };
    return route(current, { name: "arm", routing: armed, visible: false }, false);
  }
  return route(current, { name: "shift", routing: wanted, visible: true }, true);
}

export function route(
  current: Routing,
  step: RoutingStep,
  settled: boolean,
): Extract<Action, { kind: "route" }> {
  // By weight nothing is armed: where no commit is needed, both slots stay where they are, and only their shares change.
  const arms = step.name !== "shift" && step.routing.candidate !== current.candidate;
  return { kind: "route", step, arms, settled };
}

/** Killed between an arming and its proof, nobody knows whether the ingress reaches the slot: that comes before its share. Pure. */
export function onceArmed(state: RolloutState, { routing }: Pick<World, "routing">, action: Action): Action {
  const grows =
    action.kind === "route" &&
    splitOf(action.step.routing)[routing.candidate] > splitOf(routing)[routing.candidate];
  return state.arming && grows ? { kind: "prove", routing, settled: false } : action;
}

/** Taken back before anything changed for clients: what cannot be proved about the ingress or the release must not hold that. Pure. */
export function isUntouched(plan: RolloutPlan, { direction, exposed }: RolloutState): boolean {
  return direction === "back" && !exposed && plan.mode.kind !== "recreate";
}
