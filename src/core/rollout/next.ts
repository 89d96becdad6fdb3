import { splitOf } from "../routing.ts";
import { otherSlot } from "../slots.ts";
import { complete, foreign, judged, paused, refused, warmUp, whenReady } from "./phase-end.ts";
import { isUntouched } from "./route.ts";
import { cutOver, shadow, shift, testersWhere } from "./share.ts";
import { deploy } from "./slot-room.ts";
import {
  goalOf,
  hooksAt,
  isWayBack,
  needsApproval,
  type Phase,
  type RolloutPlan,
  type RolloutState,
} from "./state.ts";
import type { Action, World } from "./world.ts";

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

/** What comes before and after a phase: a person's word, then the hooks in their order. */
function boundary(plan: RolloutPlan, state: RolloutState, phase: Phase, stage: "before" | "after"): Action {
  if (state.paused) return paused;
  if (needsApproval(plan, state)) return { kind: "held", by: { kind: "approval", phase } };
  const hook = hooksAt(plan, phase, stage)[state.hooksDone];
  return hook === undefined ? complete : { kind: "hook", hook };
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
