import type { GateVerdict } from "../core/calls.ts";
import { printable } from "../core/printable.ts";

/** What came of one try; `again`: another one may say more. */
export interface Attempt extends GateVerdict {
  readonly again: boolean;
}

export function decided(verdict: GateVerdict["verdict"], evidence: string): Attempt {
  return { verdict, evidence, again: false };
}

/** It cannot be said, and another try may help or not. */
export function unclear(evidence: string, again: boolean): Attempt {
  return { verdict: "inconclusive", evidence, again };
}

const mostCharacters = 1_000;

/** Text of programs and servers as evidence: without what a terminal would obey, and not endless. */
export function asEvidence(text: string): string {
  const plain = printable(text).trim();
  return plain.length > mostCharacters ? `…${plain.slice(-mostCharacters)}` : plain;
}
