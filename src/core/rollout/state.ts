import { otherSlot, type Slot } from "../slots.ts";

/** What a rollout goes through, in this order. */
export const phases = [
  "deploy",
  "warm-up",
  "verify",
  "shift",
  "cut-over",
  "soak",
  "drain",
  "scale-down",
] as const;
export type Phase = (typeof phases)[number];

/** How a rollout ended. */
export type Outcome = "released" | "aborted" | "rolled-back";

/** What is remembered of a rollout between two steps. What can be observed is never in it. */
export interface RolloutState {
  /** Number of the release that is to go live. */
  readonly release: number;
  /** The slot that it is put into. */
  readonly target: Slot;
  /** The slot that carried the traffic when the rollout began. */
  readonly from: Slot;
  /** `back`: it was aborted or rolled back, and traffic returns to `from`. */
  readonly direction: "forward" | "back";
  readonly phase: Phase | "done";
  /** In the phase `shift`: index of the step that is in force or on its way. */
  readonly stepIndex: number;
  /** Whether the routing that the phase asks for was proved at the ingress. */
  readonly proved: boolean;
  /** When the phase began; in `shift`, when the step was proved. Milliseconds since the Unix epoch. */
  readonly since: number;
  /** Whether the target has had a share of the traffic: then it is drained before it is scaled down. */
  readonly exposed: boolean;
  readonly paused: boolean;
  /** The steps, holds and the soak that are left are skipped. Readiness and proof never are. */
  readonly promoted: boolean;
  /** Why it goes back, for people. */
  readonly reason: string | undefined;
  readonly outcome: Outcome | undefined;
}

/** The first state of a rollout; a slot that runs the release already, warm, goes straight to the traffic. */
export function begin(
  about: Pick<RolloutState, "release" | "target">,
  now: number,
  phase: "deploy" | "shift" = "deploy",
): RolloutState {
  return {
    ...about,
    from: otherSlot(about.target),
    direction: "forward",
    phase,
    stepIndex: 0,
    proved: false,
    since: now,
    exposed: false,
    paused: false,
    promoted: false,
    reason: undefined,
    outcome: undefined,
  };
}

/** The slot that all traffic is to be on in the end. */
export function goalOf(state: Pick<RolloutState, "direction" | "target" | "from">): Slot {
  return state.direction === "forward" ? state.target : state.from;
}

/** One step of a gradual shift. */
export interface ShiftStep {
  /** Share of the target in per cent, 1 to 99. */
  readonly weight: number;
  /** How long it stays so before the next step, milliseconds. */
  readonly holdMs: number;
}

/** What a rollout is to do, fixed when it begins. Times in milliseconds. */
export interface RolloutPlan {
  /**
   * `all`: the target takes traffic when all its replicas are ready. `any`: a ready one is enough, for a way back from a slot
   * that fails.
   */
  readonly readiness: "all" | "any";
  /** Size of the target before it takes traffic. */
  readonly replicas: number;
  /** Size of a slot that is out of use. */
  readonly idleReplicas: number;
  /** How long all replicas must have been ready without a break. */
  readonly settleMs: number;
  /** Growing shares before the cut-over; none: one jump. */
  readonly steps: readonly ShiftStep[];
  /** How long the gates go on watching after the cut-over. */
  readonly soakMs: number;
  /** The longest that draining is waited for. */
  readonly drainMs: number;
  /** How long the old slot stays at its size after draining, for a rollback in one step. */
  readonly rollbackWindowMs: number;
}
