import type { GateVerdict, Verdict } from "./calls.ts";

/** The phases in which gates are looked at. */
export const gatePhases = ["verify", "shadow", "shift", "soak"] as const;
export type GatePhase = (typeof gatePhases)[number];

/** What every gate has, whatever its kind. */
export interface GateBase {
  readonly name: string;
  readonly phases: readonly GatePhase[];
  /** Time from the end of a look to the next one, milliseconds. */
  readonly everyMs: number;
  /** Failing looks in a row that make the gate fail. */
  readonly failures: number;
  /** What becomes of a phase that has had its time while this gate cannot tell. */
  readonly onInconclusive: OnInconclusive;
  /**
   * It is there by itself: it never keeps a phase from its end, and what it has not shown by then is said. @default somebody asked for it
   */
  readonly byDefault?: true;
}

/**
 * `hold`: the rollout is held, for a person. `back`: traffic goes back. `pass`: the release goes on, and the gate's verdict stays
 * `inconclusive`, with what was not shown.
 */
export const inconclusiveChoices = ["hold", "back", "pass"] as const;
export type OnInconclusive = (typeof inconclusiveChoices)[number];

/** What the gates say together. */
export interface GatesVerdict {
  readonly kind: Verdict;
  /** Of `inconclusive`: what is to become of the phase. */
  readonly onInconclusive: Exclude<OnInconclusive, "pass">;
  readonly gates: readonly (GateVerdict & {
    readonly name: string;
    /** It has shown nothing, and the release goes on all the same. */
    readonly isLetPass?: true;
  })[];
}
