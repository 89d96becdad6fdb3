import type { Movement, Routing, RoutingStep } from "../routing.ts";
import type { Slot } from "../slots.ts";
import type { Phase, PlannedHook } from "./state.ts";

/** What is known of a slot at this moment. */
export interface SlotWorld {
  /** Number of the release that it runs; `undefined`: none of ours. */
  readonly release: number | undefined;
  /** Replicas that it should have. */
  readonly desired: number;
  /** Replicas that were declared last; with an autoscaler: the fewest. */
  readonly declared: number;
  readonly autoscaled: boolean;
  /** Whether an object of it is gone that Pulumi makes. */
  readonly incomplete: boolean;
  /** Pods that there are, those that are about to end among them. */
  readonly pods: number;
  /** All replicas are ready endpoints, and there is at least one. */
  readonly ready: boolean;
  /** At least one is. */
  readonly usable: boolean;
  /** How many are. */
  readonly readyReplicas: number;
  /** The most that its autoscaler makes; `undefined`: it has none. */
  readonly limit: number | undefined;
  /** Whether its number of replicas is ours to change. */
  readonly scalable: boolean;
  /** Since when it has been ready without a break, as far as was watched. Milliseconds since the Unix epoch. */
  readonly readySince: number | undefined;
}

/** What the gates say together of the phase and step that is in force. */
export interface GateWorld {
  /** `hold`: not all of them have said something yet. */
  readonly verdict: "pass" | "fail" | "inconclusive" | "hold";
  /** Which of them says so, and why. */
  readonly reason: string;
  /** Of `inconclusive`: what becomes of the phase when it has had its time. @default hold */
  readonly onInconclusive?: "hold" | "back";
  /** Clients' requests have shown in this step that the release is as good as live. @default not shown */
  readonly isShown?: boolean;
}

/** Whether traffic may move now. */
export type WindowWorld =
  | { readonly kind: "open" }
  /** `opensAt` in milliseconds since the Unix epoch; `undefined`: never, as far as can be seen. */
  | { readonly kind: "closed"; readonly reason: string; readonly opensAt: number | undefined };

/** What was observed before a step. Nothing in it is remembered. */
export interface World {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly routing: Routing;
  readonly slots: Readonly<Record<Slot, SlotWorld>>;
  /** Whether nothing is in flight in the slot that lost the traffic; `undefined`: nothing shows it. */
  readonly drained: boolean | undefined;
  /** Whether a change of a slot's pods was begun that nobody saw the end of. */
  readonly unfinished: boolean;
  readonly gates: GateWorld;
  readonly window: WindowWorld;
  readonly capabilities: Movement;
  /** Whether clients are answered rightly at this moment; `undefined`: it was not asked, since nothing depends on it. */
  readonly clientsAnswered: boolean | undefined;
  /** How long a slot may take to grow, milliseconds. */
  readonly patienceMs: number;
}

/** A way back to a slot that is smaller than the load that comes. */
export interface SmallGoal {
  readonly ready: number;
  readonly needed: number;
  /** `share`: it gets what it can carry, and the rest as it grows. Otherwise it gets all at once, for this reason. */
  readonly why: "share" | "now" | "live-is-bad" | "no-weights";
}

/** The one step that comes next. */
export type Action =
  /** Put a release into the slot at a size, or enlarge it. */
  | { readonly kind: "deploy"; readonly slot: Slot; readonly release: number; readonly replicas: number }
  /** Empty a slot so that the other one has room, traffic or not: people agreed to that. */
  | { readonly kind: "vacate"; readonly slot: Slot }
  /** Enlarge a slot that runs what it should, past Pulumi: a way back does not wait for it. */
  | { readonly kind: "grow"; readonly slot: Slot; readonly replicas: number }
  | { readonly kind: "warm-up"; readonly slot: Slot }
  | { readonly kind: "verify"; readonly slot: Slot }
  | { readonly kind: "hook"; readonly hook: PlannedHook }
  /**
   * Write one routing object and prove it; `settled` when the phase then has the routing it asks for. One that `arms` a slot is
   * noted before it is written.
   */
  | {
      readonly kind: "route";
      readonly step: RoutingStep;
      readonly arms: boolean;
      readonly settled: boolean;
      readonly small?: SmallGoal;
    }
  /** The routing is as it should be, but nobody has proved it yet; not `settled`: it arms the slot that gets a share next. */
  | { readonly kind: "prove"; readonly routing: Routing; readonly settled: boolean }
  | { readonly kind: "scale-down"; readonly slot: Slot; readonly replicas: number }
  /** Let Pulumi's state have what was written past it. */
  | { readonly kind: "follow" }
  /** Wait, and look again. `until` is when it is over at the latest, where that is known. */
  | {
      readonly kind: "wait";
      readonly for:
        | "readiness"
        | "settling"
        | "vacating"
        | "shadow"
        | "hold"
        | "gates"
        | "soak"
        | "drain"
        | "rollback-window";
      readonly slot: Slot;
      readonly until: number | undefined;
    }
  /** The phase or step has what it wanted. */
  | { readonly kind: "complete" }
  /** A gate says that the release is bad: traffic has to go back. */
  | { readonly kind: "refuse"; readonly reason: string }
  /** Nothing is to be done now. */
  | { readonly kind: "rest"; readonly why: "finished" | "paused" }
  /** It goes on when somebody says so, or when the time has come. */
  | { readonly kind: "held"; readonly by: HeldBy }
  /** Going on would break a rule. */
  | { readonly kind: "blocked"; readonly reason: string };

/** What a rollout waits for that may take long. */
export type HeldBy =
  | { readonly kind: "approval"; readonly phase: Phase }
  | { readonly kind: "window"; readonly reason: string; readonly opensAt: number | undefined }
  | { readonly kind: "gates"; readonly reason: string };
