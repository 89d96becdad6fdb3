import { isInterrupted, messageOf } from "./errors.ts";
import type { Phase, Stage } from "./rollout/state.ts";
import type { Slot } from "./slots.ts";

/**
 * What long operations report. The terminal view, plain lines and `--json` (NDJSON) all read these same events.
 * Rooms that do work take an `EventSink`; none of them prints.
 */
export type Event =
  | StepEvent
  | PhaseEvent
  | VerdictEvent
  | InfoEvent
  | { readonly type: "warning"; readonly code: string; readonly message: string; readonly hint?: string }
  | {
      /** One resource changed (or would change) by Pulumi. */
      readonly type: "resource";
      readonly operation: "create" | "update" | "replace" | "delete" | "read" | "refresh" | "same";
      readonly urn: string;
      readonly kind: string;
      readonly name: string;
      readonly status: "planned" | "started" | "done" | "failed" | "interrupted";
      /** Property paths that differ, for example `spec.rules[0].http.paths[0].backend.service.name`. */
      readonly changedProperties?: readonly string[];
      readonly message?: string;
    };

export type ResourceEvent = Extract<Event, { readonly type: "resource" }>;

/** What people should know. */
export interface InfoEvent {
  readonly type: "info";
  /** Where scripts may want it: what it is about, for example `cluster-back`. */
  readonly code?: string;
  readonly message: string;
  /** How long what is over now has lasted, milliseconds. */
  readonly durationMs?: number;
}

/** A rollout begins a phase, a stage of it, or a step of the shift. */
export interface PhaseEvent {
  readonly type: "phase";
  /** Number of the rollout. */
  readonly rollout: number;
  readonly release: number;
  /** The slot that the release is put into. */
  readonly slot: Slot;
  readonly phase: Phase;
  readonly stage: Stage;
  readonly direction: "forward" | "back";
  /** In the phase `shift`: the share of the step, per cent. */
  readonly weight?: number;
  /** For people. */
  readonly message: string;
}

/** What a gate or a hook says. */
export interface VerdictEvent {
  readonly type: "verdict";
  readonly from: "gate" | "hook";
  readonly name: string;
  readonly phase: Phase;
  readonly verdict: "pass" | "fail" | "inconclusive" | "hold";
  readonly evidence: string;
  /** The evidence as data. @default the gate has none */
  readonly data?: Readonly<Record<string, unknown>>;
  /** For people. */
  readonly message: string;
}

/** A step of work with a stable id. `parent` nests it under another step. */
export interface StepEvent {
  readonly type: "step";
  readonly id: string;
  readonly parent?: string;
  readonly title: string;
  readonly state: "started" | "progress" | "done" | "failed" | "interrupted" | "skipped";
  /** What it waits for or did: the line of evidence, for example `3 of 3 replicas ready`. */
  readonly detail?: string;
  /** Work done of work in all, in `unit`s, where both are known. */
  readonly progress?: { readonly done: number; readonly total: number; readonly unit: string };
  /** Honest estimate of the time left, milliseconds. */
  readonly remainingMs?: number;
}

export type EventSink = (event: Event) => void;

/** Runs `work` as a step: reports start, then done or failed, and passes a reporter for progress. */
export async function step<T>(
  events: EventSink,
  about: { readonly id: string; readonly title: string; readonly parent?: string },
  work: (progress: (update: Pick<StepEvent, "detail" | "progress" | "remainingMs">) => void) => Promise<T>,
  evidence?: (result: T) => string | undefined,
): Promise<T> {
  const base = { type: "step", ...about } as const;
  events({ ...base, state: "started" });
  try {
    const result = await work((update) => events({ ...base, state: "progress", ...update }));
    const detail = evidence?.(result);
    events({ ...base, state: "done", ...(detail === undefined ? {} : { detail }) });
    return result;
  } catch (error) {
    events({ ...base, ...endedBy(error) });
    throw error;
  }
}

/** How a step ends by an error. Where the whole stands after an interruption is said at the end of the command. */
export function endedBy(error: unknown): Pick<StepEvent, "state" | "detail"> {
  return isInterrupted(error) ? { state: "interrupted" } : { state: "failed", detail: messageOf(error) };
}
