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

/** Whether an HTTP status says no more than that it is not the time: that tells nothing of a release, and another try may help. */
export function isNotNow(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

const mostCharacters = 1_000;

/** Text of programs and servers as evidence: without what a terminal would obey, and not endless. */
export function asEvidence(text: string): string {
  const plain = printable(text).trim();
  return plain.length > mostCharacters ? `…${plain.slice(-mostCharacters)}` : plain;
}

/** The beginning of an answer as evidence: so many characters of its first line. */
export function firstLine(body: string, characters: number): string {
  return asEvidence(body.trim().split("\n")[0] ?? "").slice(0, characters);
}
