/**
 * Means without known bounds, by block differences: positive is worse. The one method here that holds only in the limit of many blocks, and it
 * breaks on long tails that point away from harm; so it may fail only under the rules of `mayFail`. Where bounds are known, or a threshold
 * matters, the share process is preferred.
 */
export interface MeanMemory {
  /** Blocks. */
  readonly count: number;
  readonly mean: number;
  /** Sums of the second and third powers of the distances from the mean (Welford, Terriberry). */
  readonly squares: number;
  readonly cubes: number;
}

export const noBlocks: MeanMemory = { count: 0, mean: 0, squares: 0, cubes: 0 };

/** What one more block difference adds. */
export function withDifference({ count, mean, squares, cubes }: MeanMemory, difference: number): MeanMemory {
  const n = count + 1;
  const delta = difference - mean;
  const step = delta / n;
  const term = delta * step * count;
  return {
    count: n,
    mean: mean + step,
    squares: squares + term,
    cubes: cubes + term * step * (n - 2) - 3 * step * squares,
  };
}

/** Mean of the squared distances from the mean. */
export function varianceOf({ count, squares }: MeanMemory): number {
  return count === 0 ? 0 : squares / count;
}

export function skewnessOf({ count, squares, cubes }: MeanMemory): number {
  return squares === 0 ? 0 : (Math.sqrt(count) * cubes) / squares ** 1.5;
}

/** Number of blocks for which the sequence is narrowest. */
const narrowestAt = 60;

/** The parameter of the mixture that makes the sequence narrowest at `at` blocks, for a two-sided alpha. */
export function mixtureWidth(alpha: number, at = narrowestAt): number {
  const ln = -2 * Math.log(alpha);
  return (ln + Math.log(ln + 1)) / at;
}

/**
 * Half the width of the two-sided sequence. Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476, Theorem 2.2; checked
 * against a public implementation.
 */
export function halfWidth(count: number, variance: number, alpha: number, at = narrowestAt): number {
  const width = mixtureWidth(alpha, at);
  const scaled = count * width + 1;
  return (
    Math.sqrt(variance) *
    Math.sqrt(((2 * scaled) / (count * count * width)) * Math.log(Math.sqrt(scaled) / alpha))
  );
}

/** Lower limit of the mean, valid at any look in the limit of many blocks: the one-sided form takes 2 alpha. */
export function lowerLimit(
  { count, mean, variance }: { readonly count: number; readonly mean: number; readonly variance: number },
  alpha: number,
  at = narrowestAt,
): number {
  return count === 0 ? Number.NEGATIVE_INFINITY : mean - halfWidth(count, variance, 2 * alpha, at);
}

/** Fewest requests of each slot in a block. */
export const leastInBlock = 20;

/** Whether the blocks are many and even enough for the sequence to be trusted: simulated, docs/statistics.md. */
export function mayFail(memory: MeanMemory): boolean {
  const skewness = skewnessOf(memory);
  return (memory.count >= 30 && skewness >= -0.2) || (memory.count >= 60 && skewness >= -0.5);
}

/** What the blocks say: worse by more than the margin, not shown to be so, or too few or too skewed to say so. */
export type MeanVerdict = "fail" | "hold" | "inconclusive";

/** `margin`: in the unit of the differences, by default a tenth of live's mean. */
export function judgeMean(memory: MeanMemory, margin: number, alpha: number): MeanVerdict {
  const isOver = lowerLimit({ ...memory, variance: varianceOf(memory) }, alpha) > margin;
  if (!isOver) return "hold";
  return mayFail(memory) ? "fail" : "inconclusive";
}
