import { lnMeanExp } from "./logarithms.ts";
import { regularisedBeta } from "./special-functions.ts";

/** Pairs so far: the same input to both slots. */
export interface PairCounts {
  readonly pairs: number;
  /** Scored +1: against the new slot. */
  readonly newOnly: number;
  /** Scored -1. */
  readonly liveOnly: number;
}

export const noPairs: PairCounts = { pairs: 0, newOnly: 0, liveOnly: 0 };

export type PairScore = -1 | 0 | 1;

export function withScore({ pairs, newOnly, liveOnly }: PairCounts, score: PairScore): PairCounts {
  return {
    pairs: pairs + 1,
    newOnly: newOnly + (score === 1 ? 1 : 0),
    liveOnly: liveOnly + (score === -1 ? 1 : 0),
  };
}

/**
 * Score where live is asked twice for every input: whether the new answer differs from live's first, less whether live's second does. For any
 * comparator. Labels: whether the new answer is wrong, less whether live's is.
 */
export function scoreOf(newDiffers: boolean, liveDiffers: boolean): PairScore {
  if (newDiffers === liveDiffers) return 0;
  return newDiffers ? 1 : -1;
}

/**
 * Score where live is asked again only where the new answer differs, and its second answer votes. The same mean, because live's two answers are
 * exchangeable; only where "differs" is an equality: tolerances are not transitive.
 */
export function scoreAgain({
  secondIsFirst,
  secondIsNew,
}: {
  readonly secondIsFirst: boolean;
  readonly secondIsNew: boolean;
}): PairScore {
  if (secondIsFirst) return 1;
  return secondIsNew ? -1 : 0;
}

/** How much of what there is to lose is bet, one each, with equal weights. */
export const pairBets: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85];

/**
 * ln E against "the mean score is at most `margin`": a bet on score - margin. Exact for any dependence within a pair, at any look. Source:
 * Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686; at margin 0 the anytime form of McNemar's test.
 */
export function lnPairsFail({ pairs, newOnly, liveOnly }: PairCounts, margin: number): number {
  const ties = pairs - newOnly - liveOnly;
  return lnMeanExp(
    pairBets.map(
      (bet) =>
        newOnly * Math.log1p(bet * (1 - margin)) +
        liveOnly * Math.log1p(-bet * (1 + margin)) +
        ties * Math.log1p(-bet * margin),
    ),
  );
}

/** ln E against "the mean score is at least `badMargin`", for a pass. The bets are the same, the other way. */
export function lnPairsPass({ pairs, newOnly, liveOnly }: PairCounts, badMargin: number): number {
  const ties = pairs - newOnly - liveOnly;
  return lnMeanExp(
    pairBets.map(
      (bet) =>
        newOnly * Math.log1p(-bet * (1 - badMargin)) +
        liveOnly * Math.log1p(bet * (1 + badMargin)) +
        ties * Math.log1p(bet * badMargin),
    ),
  );
}

/**
 * McNemar's exact one-sided p-value, P(Bin(newOnly + liveOnly, 1/2) >= newOnly). For the report, of a number of pairs that was fixed before;
 * never what a gate decides on.
 */
export function exactMcNemar({ newOnly, liveOnly }: PairCounts): number {
  return newOnly === 0 ? 1 : regularisedBeta(0.5, newOnly, liveOnly + 1);
}
