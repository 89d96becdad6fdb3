import type { GateVerdict, Verdict } from "./calls.ts";

/** The phases in which gates are looked at. */
export const gatePhases = ["verify", "shift", "soak"] as const;
export type GatePhase = (typeof gatePhases)[number];

/** What every gate has, whatever its kind. */
export interface GateBase {
  readonly name: string;
  readonly phases: readonly GatePhase[];
  /** Time from the end of a look to the next one, milliseconds. */
  readonly everyMs: number;
  /** Failing looks in a row that make the gate fail. */
  readonly failures: number;
}

/** What the gates say together. */
export interface GatesVerdict {
  readonly kind: Verdict;
  readonly gates: readonly (GateVerdict & { readonly name: string })[];
}
