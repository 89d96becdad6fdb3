import { firstStage, hooksAt, type Phase, phases, type RolloutPlan, type RolloutState } from "./state.ts";

/** What happened: steps of the executor, and what people ask for. `at` is in milliseconds since the Unix epoch. */
export type RolloutEvent =
  /** What the stage of the phase (in `shift`: the step) was for is done. */
  | { readonly kind: "completed"; readonly at: number }
  /** A slot is about to be armed: until that is proved it gets no share, whoever goes on. */
  | { readonly kind: "arming" }
  /** The routing that was written was proved; `settled` when it is the one that the phase asks for. */
  | { readonly kind: "routed"; readonly settled: boolean; readonly at: number }
  /** The release was reached through the ingress by the preview header. */
  | { readonly kind: "verified"; readonly at: number }
  /** Every one of `replicas` replicas of the target was warmed up. */
  | { readonly kind: "warmed"; readonly replicas: number; readonly at: number }
  /** The next hook of the stage has been run and lets the rollout go on. */
  | { readonly kind: "hooked" }
  /** It counts for this phase only. */
  | { readonly kind: "approve"; readonly phase: RolloutState["phase"] }
  | { readonly kind: "ignore-windows" }
  /** On a way back: nobody is to wait until the goal is large enough. */
  | { readonly kind: "now" }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "promote" }
  /** A gate or a step failed, or somebody wants it: traffic returns. */
  | {
      readonly kind: "abort";
      readonly reason: string;
      readonly cause?: string | undefined;
      readonly at: number;
    }
  /** A way back or a switch that could not begin: nothing was moved, and nothing is to be taken back. */
  | { readonly kind: "give-up"; readonly reason: string; readonly cause: string }
  /** Pulumi's state has what was written past it. */
  | { readonly kind: "followed" };

/**
 * The state after an event. Total: an event that means nothing in a state leaves it as it is. Pure.
 */
export function transition(plan: RolloutPlan, state: RolloutState, event: RolloutEvent): RolloutState {
  if (state.phase === "done") return state;
  const isForward = state.direction === "forward";
  switch (event.kind) {
    case "pause":
      return isForward ? { ...state, paused: true } : state;
    case "resume":
      return { ...state, paused: false };
    case "promote":
      return isForward ? { ...state, paused: false, promoted: true } : state;
    case "approve":
      return state.stage === "before" && state.phase === event.phase ? { ...state, approved: true } : state;
    case "now":
      return { ...state, now: true };
    case "ignore-windows":
      return { ...state, windowsIgnored: true };
    case "warmed": {
      const warm = { ...state, warmed: event.replicas };
      return state.phase === "warm-up" ? completed(plan, warm, event.at) : warm;
    }
    case "verified":
      return state.phase === "verify" ? { ...state, proved: true, since: event.at } : state;
    case "hooked":
      return state.stage === "during" ? state : { ...state, hooksDone: state.hooksDone + 1 };
    case "abort":
      // It already goes back, or the release is live and the old slot is drained: a rollback is a rollout of its own then.
      if (!isForward || state.phase === "scale-down") return state;
      return {
        ...state,
        direction: "back",
        exposed: state.exposed || mayHaveExposed(plan, state),
        phase: "cut-over",
        stage: "during",
        hooksDone: 0,
        proved: false,
        paused: false,
        followed: state.followed && !mayHaveWritten(plan, state),
        since: event.at,
        reason: event.reason,
        cause: event.cause,
        outcome: state.phase === "soak" || state.phase === "drain" ? "rolled-back" : "aborted",
      };
    case "give-up":
      if ((plan.escapes !== true && plan.cutOverOnly !== true) || state.exposed) return state;
      return { ...state, phase: "done", outcome: "aborted", reason: event.reason, cause: event.cause };
    case "followed":
      return { ...state, followed: true };
    case "arming":
      return { ...state, arming: true };
    case "routed":
      if (!routedIn.some((phase) => phase === state.phase)) return state;
      return {
        ...state,
        arming: false,
        followed: false,
        // The answers to copies reach nobody.
        exposed: state.exposed || (isForward && state.phase !== "shadow"),
        ...(event.settled ? { proved: true, since: event.at } : {}),
      };
    case "completed":
      return completed(plan, state, event.at);
  }
}

/** The phases in which the routing is written. */
const routedIn: readonly Phase[] = ["verify", "shadow", "shift", "cut-over"];

/** A step may have been written and not recorded. */
function mayHaveWritten(plan: RolloutPlan, { phase }: RolloutState): boolean {
  return phase === "shadow" || mayHaveExposed(plan, { phase });
}

/** By a write that is not recorded clients may have got the target. */
function mayHaveExposed(plan: RolloutPlan, { phase }: Pick<RolloutState, "phase">): boolean {
  return phase === "shift" || phase === "cut-over" || (phase === "verify" && plan.testers === true);
}

function completed(plan: RolloutPlan, state: RolloutState, at: number): RolloutState {
  if (state.phase === "done") return state;
  if (state.stage === "before") return { ...state, stage: "during", hooksDone: 0, since: at };
  const last = plan.steps.length - 1;
  if (state.stage === "during") {
    if (state.phase === "shift" && !state.promoted && state.stepIndex < last) {
      return { ...state, stepIndex: state.stepIndex + 1, proved: false, since: at };
    }
    // There are no hooks on the way back: nothing may hold it.
    if (state.direction === "forward" && hooksAt(plan, state.phase, "after").length > 0) {
      return { ...state, stage: "after", hooksDone: 0, since: at };
    }
  }
  const phase = following(plan, state);
  const isNew = phase !== "done" && state.direction === "forward";
  return {
    ...state,
    phase,
    stage: isNew ? firstStage(plan, phase) : "during",
    hooksDone: 0,
    approved: false,
    proved: false,
    since: at,
    ...(phase === "done" ? { paused: false, outcome: state.outcome ?? "released" } : {}),
  };
}

function following(plan: RolloutPlan, state: RolloutState): RolloutState["phase"] {
  if (state.phase === "done") return "done";
  if (plan.cutOverOnly === true) return afterInSwitch(state.phase);
  // There is nothing to watch on the way back: what it leads to was live before.
  if (state.direction === "back" && state.phase === "cut-over") {
    return state.exposed ? "drain" : "scale-down";
  }
  const phase = phases[phases.indexOf(state.phase) + 1] ?? "done";
  return phase === "shadow" && plan.shadow === undefined ? "shift" : phase;
}

/** A switch has no release to try: the slot is made ready, reached through the ingress, and takes the traffic. */
function afterInSwitch(phase: Phase): RolloutState["phase"] {
  switch (phase) {
    case "deploy":
    case "warm-up":
      return "verify";
    case "verify":
    case "shadow":
    case "shift":
      return "cut-over";
    case "cut-over":
    case "soak":
    case "drain":
      return "scale-down";
    case "scale-down":
      return "done";
  }
}
