import { type Routing, splitOf } from "../routing.ts";
import { needsApproval, type RolloutPlan, type RolloutState } from "./state.ts";
import type { HeldBy, WindowWorld } from "./world.ts";

/** What a rollout waits for at this moment, as far as that shows without a look at the cluster. Pure. */
export function heldNow(
  plan: RolloutPlan,
  state: RolloutState,
  at: { readonly window: WindowWorld; readonly routing: Routing; readonly now: number },
): HeldBy | undefined {
  const { window, routing, now } = at;
  if (state.phase === "done" || state.direction === "back") return undefined;
  if (needsApproval(plan, state)) return { kind: "approval", phase: state.phase };
  if (window.kind === "open" || state.windowsIgnored) return undefined;
  const holdsUntil = state.since + (plan.steps[state.stepIndex]?.holdMs ?? 0);
  const moves =
    state.phase === "shift"
      ? !state.proved || now >= holdsUntil
      : state.phase === "cut-over" && splitOf(routing)[state.target] < 100;
  if (!moves) return undefined;
  return { kind: "window", reason: window.reason, opensAt: window.opensAt };
}
