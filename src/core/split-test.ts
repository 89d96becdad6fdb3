import type { TrafficSplit } from "./routing.ts";
import { type Slot, slots } from "./slots.ts";

/** A split that an ingress may still show instead of the declared one, and how much has to speak against it. */
export interface Rival {
  readonly split: TrafficSplit;
  /** Score at which it is ruled out. */
  readonly threshold: number;
}

/**
 * Logarithm of how many answers of an ingress that still shows the rival it takes, in the mean, until it is ruled out all the same: a
 * million (Lorden, "Procedures for reacting to a change in distribution", 1971).
 */
const surest = Math.log(1e6);
/** Splits that differ so little that more answers than these would be needed are told apart only as well as these can. */
const mostAnswers = 500;

/**
 * What the declared split is to be told from: each earlier one that clients would notice, once. Where a slot is to get nothing any more, and
 * may be taken away, one that only a single of the controller's replicas at an address still shows.
 */
export function rivalsOf(
  declared: TrafficSplit,
  earlier: readonly TrafficSplit[],
  controllerReplicas: number,
): Rival[] {
  const behind = slots.some((slot) => declared[slot] === 0) ? 1 / controllerReplicas : 1;
  const shares = new Set(earlier.map(({ blue }) => blue));
  shares.delete(declared.blue);
  return [...shares].map((share) => {
    const blue = declared.blue + (share - declared.blue) * behind;
    const split = { blue, green: 100 - blue };
    return { split, threshold: Math.min(surest, mostAnswers * evidencePerAnswer(declared, split)) };
  });
}

/** The mean of `weigh` while the declared split is in force: the Kullback-Leibler divergence of the two. */
function evidencePerAnswer(declared: TrafficSplit, rival: TrafficSplit): number {
  return slots
    .filter((slot) => declared[slot] > 0)
    .reduce((sum, slot) => sum + (declared[slot] / 100) * Math.log(declared[slot] / rival[slot]), 0);
}

/**
 * The score of a rival after one more answer: the sum of the logarithms of how much likelier each answer is under the declared split,
 * never below 0, since the ingress changes over at a time that nobody knows (E. S. Page, "Continuous inspection schemes",
 * Biometrika 41, 1954). What is ruled out stays so until an answer comes that the declared split does not allow.
 */
export function weigh(score: number, answer: Slot, declared: TrafficSplit, rival: Rival): number {
  if (declared[answer] === 0) return 0;
  if (score >= rival.threshold) return score;
  return Math.max(0, score + Math.log(declared[answer] / rival.split[answer]));
}
