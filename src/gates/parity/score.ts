import { type PairScore, scoreAgain, scoreOf } from "../../core/statistics/pairs.ts";
import type { Said } from "../ask-model.ts";
import { answersDiffer, type Comparison, difference, distance, isEquality } from "../cases/compare.ts";

/** An answer, or that there was none though it was asked for. */
export type Heard = Extract<Said, { kind: "value" | "broken" }> | Extract<Said, { kind: "refused" }>;

/** The same input to both slots. */
export interface Pair {
  readonly live: Heard;
  /** Live's second answer; `undefined`: it was not asked again, since nothing differed. */
  readonly again: Heard | undefined;
  readonly release: Heard;
}

/** What a pair says. */
export interface Scored {
  readonly score: PairScore;
  /** How the release's answer differs from live's first; `undefined`: it does not. */
  readonly why: string | undefined;
  /** For the order of examples. */
  readonly size: number;
}

/** Whether live has to be asked again, after one answer of each. Where "differs" is no equality, always: the order of the two must not matter. */
export function asksAgain(comparison: Comparison, { live, release }: Omit<Pair, "again">): boolean {
  return !isEquality(comparison) || differs(comparison, live, release) !== undefined;
}

/**
 * The score of a pair: +1 against the release, -1 for it. An answer that is none is a value like any other, but where live gave none twice, a
 * release that answers is no worse. Pure.
 */
export function scored(comparison: Comparison, { live, again, release }: Pair): Scored {
  const why = differs(comparison, live, release);
  const size = why === undefined ? 0 : sizeOf(live, release);
  if (again === undefined) return { score: 0, why, size };
  if (live.kind !== "value" && again.kind !== "value" && release.kind === "value")
    return { score: 0, why, size };
  const secondIsFirst = differs(comparison, live, again) === undefined;
  if (!isEquality(comparison)) return { score: scoreOf(why !== undefined, !secondIsFirst), why, size };
  if (why === undefined) return { score: 0, why, size };
  const secondIsNew = differs(comparison, again, release) === undefined;
  return { score: scoreAgain({ secondIsFirst, secondIsNew }), why, size };
}

/**
 * The same where the right answer is known: whether the release is wrong, less whether live is. No second answer is needed. Pure.
 */
export function scoredByRight(
  comparison: Comparison,
  expected: unknown,
  { live, release }: Omit<Pair, "again">,
): Scored {
  const wrong = (heard: Heard) =>
    heard.kind === "value" ? difference(comparison, expected, heard.value) : heard.why;
  const why = wrong(release);
  const isHeard = release.kind === "value" && why !== undefined;
  const size = isHeard ? distance(expected, release.value) : why === undefined ? 0 : Number.MAX_VALUE;
  return { score: scoreOf(why !== undefined, wrong(live) !== undefined), why, size };
}

/** Numbers that are none are told by `difference` as wrong in whichever answer they are; here only whether both are alike counts. */
function differs(comparison: Comparison, one: Heard, other: Heard): string | undefined {
  if (one.kind === "value" && other.kind === "value")
    return answersDiffer(comparison, one.value, other.value);
  if (one.kind !== "value" && other.kind !== "value") return undefined;
  return other.kind === "value" ? `an answer instead of none (${whyOf(one)})` : whyOf(other);
}

const whyOf = (heard: Heard) => (heard.kind === "value" ? "" : heard.why);

function sizeOf(live: Heard, release: Heard): number {
  if (live.kind !== "value" || release.kind !== "value") return Number.MAX_VALUE;
  return distance(live.value, release.value);
}
