import { needsApproval, type RolloutPlan, type RolloutState } from "./state.ts";
import type { HeldBy, WindowWorld } from "./world.ts";

/** What a rollout waits for at this moment, as far as that shows without a look at the cluster. Pure. */
export function heldNow(plan: RolloutPlan, state: RolloutState, window: WindowWorld): HeldBy | undefined {
  if (state.phase === "done" || state.direction === "back") return undefined;
  if (needsApproval(plan, state)) return { kind: "approval", phase: state.phase };
  const moves = state.phase === "shift" || (state.phase === "cut-over" && !state.exposed);
  if (window.kind === "open" || state.windowsIgnored || !moves) return undefined;
  return { kind: "window", reason: window.reason, opensAt: window.opensAt };
}
