import { lnMeanExp, lnSumExp } from "./logarithms.ts";
import { lnPairsFail } from "./pairs.ts";

/** Segments together, and which of them are named. */
export interface SegmentsVerdict {
  /** ln of the mean of their evidence: the gate fails at ln(1/alpha). Valid under any dependence between segments. */
  readonly lnMean: number;
  readonly fails: boolean;
  /** Indices of those named, ascending. The chance that a good one is ever among them is at most alpha. */
  readonly named: readonly number[];
}

/**
 * Adjusted evidence of each, as logarithms: the least mean over all sets that hold it (closed testing with averages). Source: Vovk and Wang,
 * Ann. Statist. 49(3) 2021, arXiv 1912.06116, Algorithm 1.
 */
export function adjusted(evidence: readonly number[]): readonly number[] {
  const sorted = [...evidence].sort((a, b) => a - b);
  // ln(e_1 + … + e_i) of the smallest i.
  const sums: number[] = [Number.NEGATIVE_INFINITY];
  for (const one of sorted) sums.push(lnSumExp([sums.at(-1) ?? Number.NEGATIVE_INFINITY, one]));
  return evidence.map((own) => {
    const rank = sorted.indexOf(own);
    let least = own;
    for (let others = 1; others <= rank; others++) {
      least = Math.min(least, lnSumExp([own, sums[others] ?? 0]) - Math.log(others + 1));
    }
    return least;
  });
}

/** What segments say together. `evidence`: ln E of each, equal weights. */
export function judgeSegments(evidence: readonly number[], alpha: number): SegmentsVerdict {
  const limit = Math.log(1 / alpha);
  if (evidence.length === 0) return { lnMean: 0, fails: false, named: [] };
  const lnMean = lnMeanExp(evidence);
  const named = adjusted(evidence).flatMap((one, index) => (one >= limit ? [index] : []));
  return { lnMean, fails: lnMean >= limit, named };
}

/** Fewest pairs of one of so many segments that can fail at all, were every pair against the new slot. Fewer: too small to judge. */
export function smallestSegment(segments: number, alpha: number, margin: number): number {
  const limit = Math.log(1 / alpha) + Math.log(segments);
  // The other segments may have lost all that they bet.
  for (let pairs = 1; ; pairs++) {
    if (lnPairsFail({ pairs, newOnly: pairs, liveOnly: 0 }, margin) >= limit) return pairs;
  }
}

/** Most segments; further ones are counted as "other". */
export const mostSegments = 50;

/** Inputs of one segment that are drawn first; the rest goes by traffic, so that small segments are judged as well. */
export function inputsPerSegment(inputs: number, segments: number): number {
  return Math.min(315, Math.floor((2 * inputs) / 3 / segments));
}
