import { changed, type Routing, sameRouting, settledOn, splitOf, stepsTo } from "../routing.ts";
import type { Slot } from "../slots.ts";
import {
  complete,
  foreign,
  heldByWindow,
  isClosed,
  isReady,
  judged,
  paused,
  refused,
  whenReady,
} from "./phase-end.ts";
import { onceArmed, route, towards } from "./route.ts";
import { enlarged, restore } from "./slot-room.ts";
import { isWayBack, type RolloutPlan, type RolloutState } from "./state.ts";
import { goBack } from "./way-back.ts";
import type { Action, World } from "./world.ts";

/**
 * Testers get the target as long as it serves: one that has no ready pod any more would have no answer for them. A target that is back has to be
 * whole. `undefined`: they are where they should be.
 */
export function testersWhere(plan: RolloutPlan, state: RolloutState, world: World): Action | undefined {
  const { routing, slots } = world;
  const { target } = state;
  if (plan.testers !== true || !world.capabilities.weights || routing.main === target) return undefined;
  const { usable } = slots[target];
  if (routing.testers === target) return usable ? undefined : testers(world, undefined);
  if (routing.candidate !== target || state.paused || !isReady(plan, slots[target])) return undefined;
  return testers(world, target);
}

function testers({ routing }: World, to: Slot | undefined): Action {
  const step = {
    name: "testers",
    routing: changed(routing, { testers: to }),
    visible: to !== undefined,
  } as const;
  return route(routing, step, false);
}

/** Copies of requests go to the target for a while, and none any more when the phase ends. */
export function shadow(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const { target } = state;
  const { routing } = world;
  const { percent, forMs } = plan.shadow ?? { percent: 0, forMs: 0 };
  if (splitOf(routing)[target] > 0) return foreign(target);
  if (world.gates.verdict === "fail") return refused(world);
  const ofTesters = testersWhere(plan, state, world);
  if (ofTesters !== undefined) return ofTesters;
  const mirrored = (mirror: number | undefined) =>
    route(
      routing,
      { name: "mirror", routing: changed(routing, { mirror }), visible: false },
      mirror !== undefined,
    );
  // Whoever pauses it wants the load of the copies to end as little as that of a share.
  if (state.paused) return paused;
  const ended = () => (routing.mirror === undefined ? complete : mirrored(undefined));
  if (state.promoted || !world.capabilities.weights) return ended();
  if (!state.proved) {
    if (routing.mirror === percent) return { kind: "prove", routing, settled: true };
    return whenReady(plan, target, world, mirrored(percent));
  }
  const until = state.since + forMs;
  if (world.now < until) {
    // Somebody took the copies away: what the gates saw without them says nothing.
    if (routing.mirror !== percent) return whenReady(plan, target, world, mirrored(percent));
    return { kind: "wait", for: "shadow", slot: target, until };
  }
  const verdict = judged(state, world);
  return verdict.kind === "complete" ? ended() : verdict;
}

export function shift(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const { target, from } = state;
  const step = plan.steps[state.stepIndex];
  if (step === undefined || state.promoted || !world.capabilities.weights) {
    return state.paused ? paused : complete;
  }
  // Somebody else has cut over already: the next phase finishes what is left.
  if (world.routing.main === target) return foreign(target);
  const ofTesters = testersWhere(plan, state, world);
  if (ofTesters !== undefined) return ofTesters;
  const wanted: Routing = {
    ...{ main: from, candidate: target, weight: step.weight },
    ...(world.routing.testers === target ? { testers: target } : {}),
    ...(plan.pins === true ? { pinned: state.release } : {}),
  };
  if (sameRouting(world.routing, wanted) && state.proved) {
    if (world.gates.verdict === "fail") return refused(world);
    const until = state.since + step.holdMs;
    const isOver = world.now >= until || (step.endsEarly === true && world.gates.isShown === true);
    if (!isOver) return { kind: "wait", for: "hold", slot: target, until };
    return state.paused ? paused : judged(state, world);
  }
  if (state.paused) return paused;
  const room = enlarged(plan, state, world, step.weight);
  if (room !== undefined) return room;
  const action = onceArmed(state, world, towards(wanted, world.routing, world.capabilities));
  return whenReady(plan, target, world, inWindow(plan, state, world, action));
}

/** Forward, what clients see changes only while that is allowed; where nobody is served already, nothing is gained by waiting. */
function inWindow(plan: RolloutPlan, state: RolloutState, world: World, action: Action): Action {
  const isVisible = action.kind === "route" && action.step.visible;
  if (!isVisible || plan.mode.kind === "recreate" || !isClosed(state, world)) return action;
  return heldByWindow(world);
}

export function cutOver(plan: RolloutPlan, state: RolloutState, world: World): Action {
  if (plan.mode.kind === "recreate" && state.direction === "back") {
    const wayBack = restore(plan, state, world);
    if (wayBack !== undefined) return wayBack;
  }
  if (isWayBack(plan, state)) return state.paused ? paused : goBack(plan, state, world);
  const { target } = state;
  const mainIsEmpty = !world.slots[world.routing.main].usable;
  const [step, ...rest] = stepsTo(target, world.routing, world.capabilities, { mainIsEmpty });
  if (step === undefined) {
    return state.proved ? complete : { kind: "prove", routing: settledOn(target), settled: true };
  }
  const written = route(world.routing, step, rest.length === 0);
  const action = mainIsEmpty ? written : onceArmed(state, world, written);
  if (splitOf(step.routing)[target] <= splitOf(world.routing)[target]) return action;
  if (state.paused) return paused;
  const room = enlarged(plan, state, world, 100);
  return room ?? whenReady(plan, target, world, inWindow(plan, state, world, action));
}
