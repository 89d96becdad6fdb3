import { phases, type RolloutPlan, type RolloutState } from "./state.ts";

/** What happened: steps of the executor, and what people ask for. `at` is in milliseconds since the Unix epoch. */
export type RolloutEvent =
  /** What the phase (in `shift`: the step) was for is done. */
  | { readonly kind: "completed"; readonly at: number }
  /** The routing that was written was proved; `settled` when it is the one that the phase asks for. */
  | { readonly kind: "routed"; readonly settled: boolean; readonly at: number }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "promote" }
  /** A gate or a step failed, or somebody wants it: traffic returns. */
  | { readonly kind: "abort"; readonly reason: string; readonly at: number };

/**
 * The state after an event. Total: an event that means nothing in a state leaves it as it is. Pure.
 */
export function transition(plan: RolloutPlan, state: RolloutState, event: RolloutEvent): RolloutState {
  if (state.phase === "done") return state;
  switch (event.kind) {
    case "pause":
      return state.direction === "forward" ? { ...state, paused: true } : state;
    case "resume":
      return { ...state, paused: false };
    case "promote":
      return state.direction === "forward" ? { ...state, paused: false, promoted: true } : state;
    case "abort":
      // It already goes back, or the release is live and its soak is over: a rollback is a rollout of its own then.
      if (state.direction === "back" || state.phase === "drain" || state.phase === "scale-down") return state;
      return {
        ...state,
        direction: "back",
        // A step may have been written and not recorded.
        exposed: state.exposed || state.phase === "shift" || state.phase === "cut-over",
        phase: "cut-over",
        proved: false,
        paused: false,
        since: event.at,
        reason: event.reason,
        outcome: state.phase === "soak" ? "rolled-back" : "aborted",
      };
    case "routed":
      if (state.phase !== "shift" && state.phase !== "cut-over") return state;
      return {
        ...state,
        exposed: state.exposed || state.direction === "forward",
        ...(event.settled ? { proved: true, since: event.at } : {}),
      };
    case "completed":
      return completed(plan, state, event.at);
  }
}

function completed(plan: RolloutPlan, state: RolloutState, at: number): RolloutState {
  const last = plan.steps.length - 1;
  if (state.phase === "shift" && !state.promoted && state.stepIndex < last) {
    return { ...state, stepIndex: state.stepIndex + 1, proved: false, since: at };
  }
  const phase = following(state);
  return {
    ...state,
    phase,
    proved: false,
    since: at,
    ...(phase === "done" ? { paused: false, outcome: state.outcome ?? "released" } : {}),
  };
}

function following(state: RolloutState): RolloutState["phase"] {
  if (state.phase === "done") return "done";
  // There is nothing to watch on the way back: what it leads to was live before.
  if (state.direction === "back" && state.phase === "cut-over") {
    return state.exposed ? "drain" : "scale-down";
  }
  return phases[phases.indexOf(state.phase) + 1] ?? "done";
}
