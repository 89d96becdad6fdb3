import { z } from "zod";
import type { GateVerdict } from "../core/calls.ts";
import { alphaAfter, boundAfter } from "../core/statistics/alpha.ts";

/**
 * Evidence that is lost is a test that begins again, which would spend alpha twice: each new beginning has half of the alpha of the one before, so
 * that all of them together never have twice of it.
 */

/** What a record has of a gate whose evidence was lost on the way. */
export interface Remembered {
  /** How often its evidence was lost. */
  readonly lost: number;
  /** What was remembered since. */
  readonly memory: unknown;
  /** It could not be read just now: nobody has been told yet. */
  readonly isNew: boolean;
}

const anew = z.strictObject({ lostEvidence: z.int().min(1), since: z.unknown() });

/** What a record has of a gate that has looked, where what it remembered is missing. */
const missing = "lost";

/** Reads what a record has; `isReadable`: whether this version knows what to make of it. Pure. */
export function rememberedOf(kept: unknown, isReadable: (memory: unknown) => boolean): Remembered {
  const read = anew.safeParse(kept);
  const { lost, memory } = read.success
    ? { lost: read.data.lostEvidence, memory: read.data.since }
    : { lost: 0, memory: kept };
  if (memory === undefined || isReadable(memory)) return { lost, memory, isNew: false };
  return { lost: lost + 1, memory: undefined, isNew: true };
}

/** For the record: a gate that never lost anything has its own memory alone. Pure. */
export function keptAfter(lost: number, memory: unknown): unknown {
  return lost === 0 ? memory : { lostEvidence: lost, since: memory };
}

/** A gate with the alpha that is left to it. Pure. */
export function withAlphaLeft<Gate extends object>(gate: Gate, lost: number): Gate {
  const alpha = alphaOfGate(gate);
  return alpha === undefined || lost === 0 ? gate : { ...gate, alpha: alphaAfter(lost, alpha) };
}

/** Of a gate that judges by statistics; `undefined`: it judges without chance. Pure. */
export function alphaOfGate(gate: object): number | undefined {
  return "alpha" in gate && typeof gate.alpha === "number" ? gate.alpha : undefined;
}

/** `1 restart with lost evidence: a good release is sent back with at most 7.5 %, not 5 %`. Pure. */
export function lossInWords(lost: number, alpha: number): string {
  const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`;
  const times = lost === 1 ? "1 restart" : `${lost} restarts`;
  return `${times} with lost evidence: this gate sends a good release back with at most ${percent(boundAfter(lost, alpha))}, not ${percent(alpha)}`;
}

/** A verdict that says what was lost before. Pure. */
export function withLoss(said: GateVerdict, lost: number, alpha: number | undefined): GateVerdict {
  if (lost === 0 || alpha === undefined) return said;
  return {
    ...said,
    evidence: `${said.evidence}; ${lossInWords(lost, alpha)}`,
    data: { ...said.data, lostEvidence: lost, boundAfterLoss: boundAfter(lost, alpha) },
  };
}

/**
 * What gates remember, by name, of a record in which some have looked already. Who has looked, judges by statistics and remembers nothing has lost
 * it. Pure.
 */
export function withMissing(
  gates: readonly (object & { readonly name: string })[],
  memories: Readonly<Record<string, unknown>>,
  looked: readonly string[],
): Readonly<Record<string, unknown>> {
  const lost = gates.filter(
    (gate) =>
      alphaOfGate(gate) !== undefined && memories[gate.name] === undefined && looked.includes(gate.name),
  );
  return { ...memories, ...Object.fromEntries(lost.map(({ name }) => [name, missing])) };
}
