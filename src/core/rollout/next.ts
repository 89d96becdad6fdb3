import { changed, type Routing, sameRouting, settledOn, splitOf, stepsTo } from "../routing.ts";
import { otherSlot, type Slot } from "../slots.ts";
import { isUntouched, onceArmed, route, towards } from "./route.ts";
import {
  goalOf,
  hooksAt,
  isWayBack,
  needsApproval,
  type Phase,
  type RolloutPlan,
  type RolloutState,
  sizeFor,
} from "./state.ts";
import { goBack } from "./way-back.ts";
import type { Action, SlotWorld, World } from "./world.ts";

/**
 * The next step of a rollout, from what is remembered and what is observed. Pure; the executor takes the step, records the event
 * and asks again. Rules: a share only grows while its slot is ready (on the way back: while it has a ready pod at all) and as
 * large as the share needs; forward, only while a window is open; never before an arming that this rollout wrote was proved; a
 * write changes one routing object; a slot that carries traffic is neither changed nor scaled down, unless the mode is `recreate`.
 */
export function next(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const action = ownNext(plan, state, world);
  return isTimeToFollow(plan, state, action) ? { kind: "follow" } : action;
}

/**
 * Whether the command may end with what comes next: then Pulumi's state gets the routing first. While gates watch and clients drain, nothing
 * is done that could fail or take long.
 */
function isTimeToFollow(plan: RolloutPlan, state: RolloutState, action: Action): boolean {
  if (state.followed || isWayBack(plan, state)) return false;
  switch (action.kind) {
    case "held":
      return true;
    case "rest":
      return action.why === "paused";
    case "wait":
      return action.for === "rollback-window";
    default:
      return false;
  }
}

function ownNext(plan: RolloutPlan, state: RolloutState, world: World): Action {
  if (state.phase === "done") return { kind: "rest", why: "finished" };
  if (state.stage !== "during") return boundary(plan, state, state.phase, state.stage);
  switch (state.phase) {
    case "deploy":
      return state.paused ? paused : deploy(plan, state, world);
    case "warm-up":
      return state.paused ? paused : whenReady(plan, state.target, world, warmUp(state));
    case "verify":
      return verify(plan, state, world);
    case "shadow":
      return shadow(plan, state, world);
    case "shift":
      return shift(plan, state, world);
    case "cut-over":
      return cutOver(plan, state, world);
    case "soak": {
      if (world.gates.verdict === "fail" && !state.promoted) return refused(world);
      if (state.paused) return paused;
      const until = state.since + plan.soakMs;
      if (state.promoted) return complete;
      if (world.now < until) return { kind: "wait", for: "soak", slot: state.target, until };
      return judged(state, world);
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

/** What comes before and after a phase: a person's word, then the hooks in their order. */
function boundary(plan: RolloutPlan, state: RolloutState, phase: Phase, stage: "before" | "after"): Action {
  if (state.paused) return paused;
  if (needsApproval(plan, state)) return { kind: "held", by: { kind: "approval", phase } };
  const hook = hooksAt(plan, phase, stage)[state.hooksDone];
  return hook === undefined ? complete : { kind: "hook", hook };
}

function deploy(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const { target, from } = state;
  const slot = world.slots[target];
  const isSwitch = plan.cutOverOnly === true;
  // A switch takes what is in the slot; pods that nobody released have no number.
  const differs = slot.release !== state.release && !(isSwitch && slot.release === undefined);
  const hasTraffic = splitOf(world.routing)[target] > 0;
  if (hasTraffic && differs) return foreign(target);
  // What serves clients already is left as it is.
  if (isSwitch && hasTraffic) return whenReady(plan, target, world, complete);
  const replicas = sizeFor(plan, 0);
  const isSmall = slot.desired < replicas && (slot.scalable || !isSwitch);
  if (differs || isSmall || slot.incomplete || world.unfinished) {
    const room = plan.mode.kind === "recreate" ? makeRoom(from, world) : undefined;
    // Emptying the live slot changes what clients see more than anything else.
    if (room?.kind === "vacate" && isClosed(state, world)) return heldByWindow(world);
    return room ?? { kind: "deploy", slot: target, release: state.release, replicas };
  }
  if (!isReady(plan, slot)) return { kind: "wait", for: "readiness", slot: target, until: undefined };
  if (plan.readiness === "any") return complete;
  const until = (slot.readySince ?? world.now) + plan.settleMs;
  return world.now >= until ? complete : { kind: "wait", for: "settling", slot: target, until };
}

/** A slot that has to be gone before the other one can be there; `undefined`: it is. */
function makeRoom(slot: Slot, world: World): Action | undefined {
  const { desired, pods } = world.slots[slot];
  if (desired > 0) return { kind: "vacate", slot };
  return pods > 0 ? { kind: "wait", for: "vacating", slot, until: undefined } : undefined;
}

function isReady(plan: RolloutPlan, slot: SlotWorld): boolean {
  return plan.readiness === "all" ? slot.ready : slot.usable;
}

function whenReady(plan: RolloutPlan, slot: Slot, world: World, action: Action): Action {
  if (isReady(plan, world.slots[slot])) return action;
  return { kind: "wait", for: "readiness", slot, until: undefined };
}

function warmUp(state: RolloutState): Action {
  return { kind: "warm-up", slot: state.target };
}

function verify(plan: RolloutPlan, state: RolloutState, world: World): Action {
  if (!state.proved) {
    if (state.paused) return paused;
    return whenReady(plan, state.target, world, { kind: "verify", slot: state.target });
  }
  if (world.gates.verdict === "fail") return refused(world);
  const ofTesters = testersWhere(plan, state, world);
  if (ofTesters !== undefined) return ofTesters;
  if (state.paused) return paused;
  // Nobody is served meanwhile: what cannot be told to be good makes room for what was.
  const isUrgent = plan.mode.kind === "recreate" && world.gates.verdict === "inconclusive";
  return isUrgent && !state.promoted ? refused(world) : judged(state, world);
}

function refused(world: World): Action {
  return { kind: "refuse", reason: world.gates.reason };
}

/** Whether a phase that has had its time may end. */
function judged(state: RolloutState, { gates }: World): Action {
  switch (gates.verdict) {
    case "pass":
      return complete;
    case "fail":
      return { kind: "refuse", reason: gates.reason };
    case "hold":
      return { kind: "wait", for: "gates", slot: state.target, until: undefined };
    case "inconclusive":
      // A person who promotes it has seen this.
      if (state.promoted) return complete;
      if (gates.onInconclusive === "back") return { kind: "refuse", reason: gates.reason };
      return { kind: "held", by: { kind: "gates", reason: gates.reason } };
  }
}

/**
 * Testers get the target as long as it serves: one that has no ready pod any more would have no answer for them. A target that is back has to be
 * whole. `undefined`: they are where they should be.
 */
function testersWhere(plan: RolloutPlan, state: RolloutState, world: World): Action | undefined {
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
function shadow(plan: RolloutPlan, state: RolloutState, world: World): Action {
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

function shift(plan: RolloutPlan, state: RolloutState, world: World): Action {
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

/** What a larger share needs first: enough replicas, all of them ready and warm. `undefined`: nothing. */
function enlarged(plan: RolloutPlan, state: RolloutState, world: World, weight: number): Action | undefined {
  if (plan.mode.kind !== "partial") return undefined;
  const { target: slot, release } = state;
  const replicas = sizeFor(plan, weight);
  if (world.slots[slot].desired < replicas || world.unfinished)
    return { kind: "deploy", slot, release, replicas };
  if (state.warmed >= replicas) return undefined;
  if (world.slots[slot].ready) return warmUp(state);
  return { kind: "wait", for: "readiness", slot, until: undefined };
}

/** Forward, what clients see changes only while that is allowed; where nobody is served already, nothing is gained by waiting. */
function inWindow(plan: RolloutPlan, state: RolloutState, world: World, action: Action): Action {
  const isVisible = action.kind === "route" && action.step.visible;
  if (!isVisible || plan.mode.kind === "recreate" || !isClosed(state, world)) return action;
  return heldByWindow(world);
}

function isClosed(state: RolloutState, { window }: World): boolean {
  return window.kind === "closed" && !state.windowsIgnored;
}

function heldByWindow({ window }: World): Action {
  if (window.kind === "open") return complete;
  return { kind: "held", by: { kind: "window", reason: window.reason, opensAt: window.opensAt } };
}

function cutOver(plan: RolloutPlan, state: RolloutState, world: World): Action {
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

/** The old slot was emptied to make room: it is put back in the same way. `undefined`: it serves. */
function restore(plan: RolloutPlan, { from, target }: RolloutState, world: World): Action | undefined {
  const { desired, release, usable } = world.slots[from];
  if (desired < plan.fromReplicas && release !== undefined) {
    const room = makeRoom(target, world);
    return room ?? { kind: "deploy", slot: from, release, replicas: plan.fromReplicas };
  }
  return usable ? undefined : { kind: "wait", for: "readiness", slot: from, until: undefined };
}

function scaleDown(plan: RolloutPlan, state: RolloutState, world: World): Action {
  const loser = otherSlot(goalOf(state));
  if (splitOf(world.routing)[loser] > 0) return foreign(loser);
  const isBehind = !state.followed;
  if (plan.cutOverOnly === true) {
    // What an earlier command left unfinished is not this one's where it did nothing.
    return isBehind || (world.unfinished && !isUntouched(plan, state)) ? { kind: "follow" } : complete;
  }
  const { desired, declared, autoscaled } = world.slots[loser];
  // An autoscaler that was told takes its time, and needs nobody to wait for it.
  const isSmall = desired <= plan.idleReplicas || (autoscaled && declared <= plan.idleReplicas);
  if (isSmall && !world.unfinished) return isBehind ? { kind: "follow" } : complete;
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
