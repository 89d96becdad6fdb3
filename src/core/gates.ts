import type { Call, GateVerdict, Verdict } from "./calls.ts";

/** The phases in which gates are looked at. */
export const gatePhases = ["verify", "shift", "soak"] as const;
export type GatePhase = (typeof gatePhases)[number];

interface GateBase {
  readonly name: string;
  readonly phases: readonly GatePhase[];
  /** Time from the end of a look to the next one, milliseconds. */
  readonly everyMs: number;
  /** Failing looks in a row that make the gate fail. */
  readonly failures: number;
}

/** A check of a release that goes on while a phase lasts. */
export type Gate =
  | (GateBase & { readonly kind: "command" | "webhook"; readonly call: Call })
  | (GateBase & { readonly kind: "request"; readonly request: GateRequest })
  /** Pods of the new release that restart, get unready or go away. */
  | (GateBase & { readonly kind: "pods" });

/** Requests through the real ingress, one after the other. */
export interface GateRequest {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: unknown;
  /** How many in one look. */
  readonly count: number;
  /** How many of them may be wrong. */
  readonly allowed: number;
  /** Whether any certificate will do, over https. */
  readonly insecure: boolean;
  readonly timeoutMs: number;
  readonly expect: {
    readonly status: number;
    /** Dot-separated path into the JSON answer, and the value that must be there; without a value anything but null. */
    readonly json: { readonly path: string; readonly value: unknown } | undefined;
    readonly latencyMs: number | undefined;
  };
}

/** What the gates say together. */
export interface GatesVerdict {
  readonly kind: Verdict;
  readonly gates: readonly (GateVerdict & { readonly name: string })[];
}
