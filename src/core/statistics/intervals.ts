import { defaultKappa, lnBetaBinomial } from "./share-check.ts";
import { regularisedBeta } from "./special-functions.ts";

/** Two bounds, both within the interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The least x in [low, high] at which `holds`, which must hold from some x on. */
function firstWhere(low: number, high: number, holds: (x: number) => boolean): number {
  let no = low;
  let yes = high;
  for (let round = 0; round < 200 && yes - no > 1e-15 * yes; round++) {
    const middle = 0.5 * (no + yes);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return 0.5 * (no + yes);
}

/**
 * Interval of a share, valid at any number of looks: all p that x of n do not refuse at `alpha`. Source: as `lnBetaBinomial`.
 */
export function shareInterval(x: number, n: number, alpha: number, kappa = defaultKappa): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const isRefused = (p: number) => lnBetaBinomial(x, n, p, kappa) >= Math.log(1 / alpha);
  const rate = x / n;
  return {
    low: x === 0 ? 0 : firstWhere(0, rate, (p) => !isRefused(p)),
    high: x === n ? 1 : firstWhere(rate, 1, isRefused),
  };
}

/**
 * Clopper and Pearson's exact interval of a share, for one look at a number of requests that was fixed before: beside the other in reports,
 * never what a gate decides on.
 */
export function clopperPearson(x: number, n: number, alpha: number): Interval {
  const atLeast = (p: number) => regularisedBeta(p, x, n - x + 1);
  const atMost = (p: number) => 1 - regularisedBeta(p, x + 1, n - x);
  return {
    low: x === 0 ? 0 : firstWhere(0, 1, (p) => atLeast(p) >= alpha / 2),
    high: x === n ? 1 : firstWhere(0, 1, (p) => atMost(p) <= alpha / 2),
  };
}

/** The order statistics, from 1, between which a quantile lies; `undefined`: no bound on that side. */
export interface QuantileInterval {
  /** Counts at or under the quantile that are not refused. */
  readonly lowestCount: number;
  readonly highestCount: number;
  readonly lowOrderStatistic: number | undefined;
  readonly highOrderStatistic: number | undefined;
}

/**
 * Interval of a quantile of n single values, valid at any number of looks. Source: Howard and Ramdas, Bernoulli 28(3) 2022, arXiv
 * 1906.09712; confseq's `QuantileABTest`, whose parameters reduce to a prior Beta(kappa p, kappa (1-p)).
 */
export function quantileInterval(
  n: number,
  p: number,
  alpha: number,
  kappa = defaultKappa,
): QuantileInterval {
  const limit = Math.log(1 / alpha);
  const isRefused = (count: number) => lnBetaBinomial(count, n, p, kappa) >= limit;
  // The evidence rises on both sides of n*p, so that the counts that stay are one run.
  const middle = Math.round(n * p);
  let lowestCount = middle;
  while (lowestCount > 0 && !isRefused(lowestCount - 1)) lowestCount--;
  let highestCount = middle;
  while (highestCount < n && !isRefused(highestCount + 1)) highestCount++;
  return {
    lowestCount,
    highestCount,
    lowOrderStatistic: lowestCount === 0 ? undefined : lowestCount,
    highOrderStatistic: highestCount === n ? undefined : highestCount + 1,
  };
}

/** Most single values that are kept per slot for such an interval; of more, the first ones stand for all, and that is said. */
export const mostValues = 100_000;
