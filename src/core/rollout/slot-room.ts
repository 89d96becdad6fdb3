import { splitOf } from "../routing.ts";
import type { Slot } from "../slots.ts";
import { complete, foreign, heldByWindow, isClosed, isReady, warmUp, whenReady } from "./phase-end.ts";
import { type RolloutPlan, type RolloutState, sizeFor } from "./state.ts";
import type { Action, World } from "./world.ts";

export function deploy(plan: RolloutPlan, state: RolloutState, world: World): Action {
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

/** What a larger share needs first: enough replicas, all of them ready and warm. `undefined`: nothing. */
export function enlarged(
  plan: RolloutPlan,
  state: RolloutState,
  world: World,
  weight: number,
): Action | undefined {
  if (plan.mode.kind !== "partial") return undefined;
  const { target: slot, release } = state;
  const replicas = sizeFor(plan, weight);
  if (world.slots[slot].desired < replicas || world.unfinished)
    return { kind: "deploy", slot, release, replicas };
  if (state.warmed >= replicas) return undefined;
  if (world.slots[slot].ready) return warmUp(state);
  return { kind: "wait", for: "readiness", slot, until: undefined };
}

/** The old slot was emptied to make room: it is put back in the same way. `undefined`: it serves. */
export function restore(plan: RolloutPlan, { from, target }: RolloutState, world: World): Action | undefined {
  const { desired, release, usable } = world.slots[from];
  if (desired < plan.fromReplicas && release !== undefined) {
    const room = makeRoom(target, world);
    return room ?? { kind: "deploy", slot: from, release, replicas: plan.fromReplicas };
  }
  return usable ? undefined : { kind: "wait", for: "readiness", slot: from, until: undefined };
}
