import { lnMixture } from "./logarithms.ts";

/** Parts of something by weight: of alpha among gates, or of a gate's among its metrics. They sum to the whole. */
export function sharedOut<Name extends string>(
  whole: number,
  weights: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const entries = Object.entries<number>(weights);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  const parts = entries.map(([name, weight]) => [name, (whole * weight) / total]);
  return Object.fromEntries(parts) as Record<Name, number>;
}

/**
 * Evidence of several metrics as one, ln of the weighted sum; weights sum to 1. Never later than Bonferroni's correction with these weights, and
 * valid under any dependence. Source: Vovk and Wang, arXiv 1912.06116.
 */
export function lnTogether(metrics: readonly { readonly weight: number; readonly lnE: number }[]): number {
  return lnMixture(
    metrics.map(({ weight }) => weight),
    metrics.map(({ lnE }) => lnE),
  );
}

/** The alpha with which evidence begins anew after its memory was lost so many times: half as much each time. */
export function alphaAfter(lostMemories: number, alpha: number): number {
  return alpha / 2 ** lostMemories;
}

/** The chance to send a good release back, over all beginnings: under twice alpha, however often. */
export function boundAfter(lostMemories: number, alpha: number): number {
  return alpha * (2 - 2 ** -lostMemories);
}
