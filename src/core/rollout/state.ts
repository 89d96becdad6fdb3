import { otherSlot, type Slot } from "../slots.ts";
import type { ReleaseMode } from "./mode.ts";

/** What a rollout goes through, in this order. */
export const phases = [
  "deploy",
  "warm-up",
  "verify",
  "shadow",
  "shift",
  "cut-over",
  "soak",
  "drain",
  "scale-down",
] as const;
export type Phase = (typeof phases)[number];

export const rolloutKinds = ["release", "rollback", "switch"] as const;
export type RolloutKind = (typeof rolloutKinds)[number];

/** How a rollout ended. */
export const outcomes = ["released", "aborted", "rolled-back"] as const;
export type Outcome = (typeof outcomes)[number];

/** Where in a phase a rollout is: approval and the hooks before it, what it is for, the hooks after it. */
export const stages = ["before", "during", "after"] as const;
export type Stage = (typeof stages)[number];

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
  readonly stage: Stage;
  /** Hooks of the stage that have been run. */
  readonly hooksDone: number;
  /** Whether somebody approved the phase. */
  readonly approved: boolean;
  /** In the phase `shift`: index of the step that is in force or on its way. */
  readonly stepIndex: number;
  /** Whether what the phase asks for was proved at the ingress. */
  readonly proved: boolean;
  /** Whether a slot is being armed, and nobody has proved yet that the ingress reaches it: noted before the write. */
  readonly arming: boolean;
  /** When the phase began; in `shift`, when the step was proved. Milliseconds since the Unix epoch. */
  readonly since: number;
  /** The size of the target for which every replica was warmed up. */
  readonly warmed: number;
  /** Whether the target has had a share of the traffic: then it is drained before it is scaled down. */
  readonly exposed: boolean;
  readonly paused: boolean;
  /** The steps, holds, approvals and the soak that are left are skipped. Readiness and proof never are. */
  readonly promoted: boolean;
  /** Whether Pulumi's state has the routing that was written past it. */
  readonly followed: boolean;
  /** All traffic goes back at once, also to a slot that is smaller than the load. */
  readonly now: boolean;
  /** Traffic may move outside the windows and in a freeze. */
  readonly windowsIgnored: boolean;
  /** Why it goes back, for people. */
  readonly reason: string | undefined;
  /** Code of the error that made it go back; `undefined`: somebody wanted it. */
  readonly cause: string | undefined;
  readonly outcome: Outcome | undefined;
}

/** The first state of a rollout; a slot that runs the release already, warm, goes straight to the traffic. */
export function begin(
  plan: RolloutPlan,
  about: Pick<RolloutState, "release" | "target"> & Partial<Pick<RolloutState, "windowsIgnored" | "now">>,
  now: number,
  phase: "deploy" | "shift" | "cut-over" = "deploy",
): RolloutState {
  return {
    windowsIgnored: false,
    now: false,
    ...about,
    from: otherSlot(about.target),
    direction: "forward",
    phase,
    stage: firstStage(plan, phase),
    hooksDone: 0,
    approved: false,
    stepIndex: 0,
    proved: false,
    arming: false,
    since: now,
    warmed: 0,
    exposed: false,
    paused: false,
    promoted: false,
    followed: plan.escapes !== true,
    reason: undefined,
    cause: undefined,
    outcome: undefined,
  };
}

/** A phase that needs no approval and has no hook before it begins at once. */
export function firstStage(plan: RolloutPlan, phase: Phase): Stage {
  return plan.approval.includes(phase) || hooksAt(plan, phase, "before").length > 0 ? "before" : "during";
}

/** Whether a rollout waits for somebody's approval. */
export function needsApproval(plan: RolloutPlan, state: RolloutState): boolean {
  const { phase, stage, approved, promoted } = state;
  return phase !== "done" && stage === "before" && plan.approval.includes(phase) && !approved && !promoted;
}

/** The hooks of a phase, in the order of the configuration. */
export function hooksAt(plan: RolloutPlan, phase: Phase, when: PlannedHook["when"]): PlannedHook[] {
  return plan.hooks.filter((hook) => hook.phase === phase && hook.when === when);
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
  /** It ends sooner where clients' requests have shown by then that the release is as good as live. @default it has its time */
  readonly endsEarly?: boolean | undefined;
}

/** Something that is run before or after a phase; what it is stands in the configuration. */
export interface PlannedHook {
  readonly name: string;
  readonly when: "before" | "after";
  readonly phase: Phase;
}

/** What a rollout is to do, fixed when it begins. Times in milliseconds. */
export interface RolloutPlan {
  /**
   * `all`: the target takes traffic when all its replicas are ready. `any`: a ready one is enough, for a way back from a slot
   * that fails.
   */
  readonly readiness: "all" | "any";
  readonly mode: ReleaseMode;
  /** Size of the target before it takes all traffic. */
  readonly replicas: number;
  /** Size of the other slot when the rollout began: it has it again after the way back from a slot that was put in its place. */
  readonly fromReplicas: number;
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
  /** Phases that somebody must approve before they begin. */
  readonly approval: readonly Phase[];
  readonly hooks: readonly PlannedHook[];
  /** Whether the gates of the configuration are asked. */
  readonly gates: boolean;
  /** What it leaves is worse than anything: nothing of it is needed, and once clients are off it they are never moved again. @default false */
  readonly escapes?: boolean | undefined;
  /** It ends with the traffic on the target: the other slot stays as it is. @default false */
  readonly cutOverOnly?: boolean | undefined;
  /** Testers get the target once it was verified. @default false */
  readonly testers?: boolean | undefined;
  /** Clients stay on the slot that they got while the share of the target grows. @default false */
  readonly pins?: boolean | undefined;
  /** Before its share grows, the target gets copies of so many requests, per cent, for so long. @default none */
  readonly shadow?: { readonly percent: number; readonly forMs: number } | undefined;
}

/** Whether a rollout leads away from a slot that nothing may depend on: an abort, a rollback, a switch away from a bad slot. */
export function isWayBack(
  plan: Pick<RolloutPlan, "escapes">,
  { direction }: Pick<RolloutState, "direction">,
): boolean {
  return direction === "back" || plan.escapes === true;
}

/**
 * How many replicas the target has to have: while it is previewed, and before a share of `weight` per cent. Never fewer than its
 * share of the traffic needs. Pure.
 */
export function sizeFor(plan: Pick<RolloutPlan, "mode" | "replicas">, weight: number): number {
  if (plan.mode.kind !== "partial") return plan.replicas;
  return Math.max(1, Math.ceil((plan.replicas * Math.max(plan.mode.percent, weight)) / 100));
}
