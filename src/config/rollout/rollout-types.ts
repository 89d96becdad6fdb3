import type { Hook } from "../../core/calls.ts";
import type { GatePhase, OnInconclusive } from "../../core/gates.ts";
import type { NoticeKind, NotificationTarget } from "../../core/notices.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import type { Phase, ShiftStep } from "../../core/rollout/state.ts";
import type { Schedule, Weekday } from "../../core/windows.ts";
import type { Gate, GateForm } from "../../gates/kinds.ts";
import type { FromEnvironment, RunConfig, UrlConfig } from "../parts/call-shape.ts";
import type { CapacityPolicy } from "./capacity-policy.ts";

/** A request that warms up a replica: a real one, as clients send it. */
export interface WarmUpConfig {
  /** Absolute path on the model server, for example `/v2/models/fraud/infer`. */
  readonly path: string;
  /** @default POST with a body, else GET */
  readonly method?: "GET" | "POST";
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Seconds until a replica counts as warm whatever its latency. @default 60 */
  readonly deadline?: number;
  /** The most requests to one replica. @default 200 */
  readonly requests?: number;
}

/** Phases that a person can be asked about. */
export const approvalPhases = ["shift", "cut-over", "scale-down"] as const;
export type ApprovalPhase = (typeof approvalPhases)[number];

/** A time of day in which traffic may move. */
export interface WindowConfig {
  /** The days on which it begins: `"mon-fri"`, `"sat"` or a list. @default every day */
  readonly days?: Weekday | `${Weekday}-${Weekday}` | readonly Weekday[];
  /** `"09:00"` */
  readonly from: string;
  /** `"16:00"`; `"24:00"` is midnight. Before `from`: on the next day. */
  readonly to: string;
}

/** A time in which traffic does not move, whatever the windows say. */
export interface FreezeConfig {
  /** `"2026-12-20"`, from midnight, or `"2026-12-20T18:00"`; in the rollout's time zone unless it says another (`Z`, `+01:00`). */
  readonly from: string;
  /** A day is in it to its end. */
  readonly to: string;
  /** Said to whoever waits. */
  readonly reason: string;
}

interface HookBase {
  /** For messages and the record; each once. */
  readonly name: string;
  /** Seconds for one try. @default 60 */
  readonly timeout?: number;
  /** How often it is tried again: a request after a connection error, a time-out or a 5xx; a program after a time-out or an unknown exit code. @default 2 for `url`, 0 for `run` */
  readonly retries?: number;
  /** What becomes of the rollout where the hook does not pass. @default abort */
  readonly onFailure?: "abort" | "continue";
}

/** Something that is run before or after a phase. */
export type HookConfig = HookBase &
  ({ readonly before: Phase; readonly after?: never } | { readonly after: Phase; readonly before?: never }) &
  (RunConfig | UrlConfig);

interface GateBaseConfig {
  /** For messages and the record; each once, and not `pods`. */
  readonly name: string;
  /** @default verify, shift, soak */
  readonly phases?: readonly GatePhase[];
  /** Seconds from the end of a look to the next one. @default 10, for `parity`, `labels` and `performance` 1 */
  readonly every?: number;
  /** Failing looks in a row that make the gate fail. @default 1 */
  readonly failures?: number;
  /**
   * What becomes of a phase that has had its time while the gate cannot tell: `hold` asks a person, `back` takes traffic back, `pass` goes on and
   * says what was not shown.
   * @default hold
   */
  readonly onInconclusive?: OnInconclusive;
  /** Seconds for one look; for those that send requests: for one request. @default 30, for these 10 */
  readonly timeout?: number;
}

/** A check that goes on while a phase lasts. */
export type GateConfig = GateBaseConfig & GateForm;

/** Who is told of a rollout. */
export interface NotificationConfig {
  /** Slack's URLs are secrets: name the environment variable. */
  readonly url: string | FromEnvironment;
  readonly format: "slack" | "generic";
  /** @default everything but `phase` */
  readonly on?: readonly NoticeKind[];
  /** With `generic`: the key of the signature (Standard Webhooks). @default not signed */
  readonly secret?: FromEnvironment;
  /** Allows `http://` to other machines. @default false */
  readonly insecure?: boolean;
}

/** Copies of requests for a release that serves nobody. */
export interface ShadowConfig {
  /** Seconds. */
  readonly for: number;
  /** How many of the requests are copied, 1 to 100. @default 100 */
  readonly percent?: number;
}

export interface RolloutConfig {
  /**
   * Shares of the new release before it gets all traffic, for example `5%:2m, 25%:5m, 50%`. `auto`: shares and times are chosen when a release
   * begins, by the traffic of the last hour. @default one jump
   */
  readonly steps?: string;
  /** Seconds for which all replicas must have been ready without a break. @default 5 */
  readonly settle?: number;
  /**
   * Seconds for which the new release gets copies of clients' requests before its share grows, or `{ for: 120, percent: 10 }`. The answers to
   * copies reach nobody, but what a request does, it does twice. @default no copies
   */
  readonly shadow?: number | ShadowConfig;
  /** Seconds for which the release is watched once it has all traffic. @default 30 */
  readonly soak?: number;
  /** The longest that requests in flight in the old slot are waited for, seconds. @default the longest request of the model server */
  readonly drain?: number;
  /** Seconds for which the old slot stays warm for a rollback in one step. @default 600 */
  readonly rollbackWindow?: number;
  /** A request that is sent to every new replica until its latency is steady. @default none */
  readonly warmUp?: WarmUpConfig;
  /**
   * Whether the nodes must have room for the new pods before anything is written: `require` refuses (where an autoscaler may add nodes
   * it warns), `warn` goes on all the same, `skip` does not look. @default require
   */
  readonly capacity?: CapacityPolicy;
  /**
   * `full`: both slots at full size. `{ partial: 20 }`: 20 % of the replicas while previewing, all before the cut-over. `recreate`: the
   * live slot is emptied first, for one scarce GPU; nobody is served meanwhile. @default full
   */
  readonly mode?: "full" | "recreate" | { readonly partial: number };
  /** Phases that a person must approve before they begin. @default none */
  readonly approval?: readonly ApprovalPhase[];
  /** When traffic may move. @default always */
  readonly windows?: readonly WindowConfig[];
  /** When traffic must not move, whatever the windows say. @default never */
  readonly freezes?: readonly FreezeConfig[];
  /** IANA time zone of windows and freezes, for example `Europe/Berlin`. @default UTC */
  readonly timeZone?: string;
  /** What is run before and after phases, in this order. @default none */
  readonly hooks?: readonly HookConfig[];
  /** Checks that go on while a release is verified, shifted and soaked. `[]`: those of the pods alone. @default those that are there by themselves */
  readonly gates?: readonly GateConfig[];
  /** Whether pods of the new release that restart, get unready or go away send it back. @default true */
  readonly watchPods?: boolean;
  /**
   * Whether clients' requests are compared in both slots by themselves, where steps share them and somebody counts them: a release that fails
   * more often than live or is slower is sent back; what cannot be shown is said, and the release goes on. @default true
   */
  readonly watchTraffic?: boolean;
  /** Chance that a good release is sent back by statistics, of all gates together and at any number of looks, above 0 and under 1. @default 0.05 */
  readonly alpha?: number;
  /** Who is told. @default nobody */
  readonly notifications?: readonly NotificationConfig[];
}

/** How a release goes live, with every default. Times in milliseconds. */
export interface ResolvedRollout {
  readonly steps: readonly ShiftStep[];
  /** The steps are chosen when the release begins. @default they are those above */
  readonly isAutomatic?: boolean;
  /** Chance that a good release is sent back by all of its gates together. */
  readonly alpha: number;
  readonly settleMs: number;
  /** Copies of requests before the shares grow. @default none */
  readonly shadow?: { readonly percent: number; readonly forMs: number };
  /** With `lastHoldMs`. */
  readonly soakMs: number;
  /** The time of a last step `100%`. */
  readonly lastHoldMs: number;
  /** `undefined`: the longest request of the model server. */
  readonly drainMs: number | undefined;
  readonly rollbackWindowMs: number;
  readonly capacity: CapacityPolicy;
  readonly warmUp:
    | {
        readonly path: string;
        readonly method: "GET" | "POST";
        readonly body: unknown;
        readonly deadlineMs: number;
        readonly maximumRequests: number;
      }
    | undefined;
  readonly mode: ReleaseMode;
  readonly approval: readonly ApprovalPhase[];
  readonly schedule: Schedule;
  readonly hooks: readonly Hook[];
  /** Of all phases; those among them that are there by themselves, unless they are switched off. */
  readonly gates: readonly Gate[];
  readonly notifications: readonly NotificationTarget[];
}
