import { changed, type Movement, type Routing, type RoutingStep, sameRouting, splitOf } from "../routing.ts";
import type { RolloutPlan, RolloutState } from "./state.ts";
import type { Action, World } from "./world.ts";

/**
 * One write in the direction of a routing: the target is armed before it gets a share, copies end before traffic moves, and clients are kept
 * where they are before the first of them moves. Pure.
 */
export function towards(wanted: Routing, current: Routing, { commit }: Pick<Movement, "commit">): Action {
  if (sameRouting(wanted, current)) return { kind: "prove", routing: wanted, settled: true };
  const { main, candidate, mirror, testers, pinned } = wanted;
  if (current.candidate !== candidate) {
    const routing = changed(current, { main, candidate, weight: 0, testers: undefined, mirror: undefined });
    return route(current, { name: "arm", routing, visible: false }, false);
  }
  const one = (name: RoutingStep["name"], routing: Routing, visible: boolean) =>
    route(current, { name, routing, visible }, sameRouting(routing, wanted));
  if (current.mirror !== mirror) return one("mirror", changed(current, { mirror }), false);
  if (current.testers !== testers)
    return one("testers", changed(current, { testers }), testers !== undefined);
  // Where the weights stand in an object of their own, the cookie does not stand in it.
  if (commit !== false && current.pinned !== pinned)
    return one(pinned === undefined ? "unpin" : "pin", changed(current, { pinned }), pinned === undefined);
  return one(
    "shift",
    changed(current, { main, weight: wanted.weight, ...(commit === false ? { pinned } : {}) }),
    true,
  );
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
