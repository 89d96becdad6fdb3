import type { Slot } from "../slots.ts";
import type { RolloutPlan, RolloutState } from "./state.ts";
import type { Action, SlotWorld, World } from "./world.ts";

export const paused: Action = { kind: "rest", why: "paused" };

export const complete: Action = { kind: "complete" };

export function isReady(plan: RolloutPlan, slot: SlotWorld): boolean {
  return plan.readiness === "all" ? slot.ready : slot.usable;
}

export function whenReady(plan: RolloutPlan, slot: Slot, world: World, action: Action): Action {
  if (isReady(plan, world.slots[slot])) return action;
  return { kind: "wait", for: "readiness", slot, until: undefined };
}

export function warmUp(state: RolloutState): Action {
  return { kind: "warm-up", slot: state.target };
}

export function refused(world: World): Action {
  return { kind: "refuse", reason: world.gates.reason };
}

/** Whether a phase that has had its time may end. */
export function judged(state: RolloutState, { gates }: World): Action {
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

export function isClosed(state: RolloutState, { window }: World): boolean {
  return window.kind === "closed" && !state.windowsIgnored;
}

export function heldByWindow({ window }: World): Action {
  if (window.kind === "open") return complete;
  return { kind: "held", by: { kind: "window", reason: window.reason, opensAt: window.opensAt } };
}

export function foreign(slot: Slot): Action {
  return {
    kind: "blocked",
    reason: `${slot} carries traffic that this rollout did not send there: somebody else changed the routing`,
  };
}
