/**
 * Latency as a share: a request is an event when it takes longer than a bound that is fixed before traffic moves. For counters with buckets
 * that is the only form without interpolation, and bounds are those of buckets.
 */

/** A bound of a metric "slow answers". */
export type SlowBound =
  | { readonly kind: "bound"; readonly name: string; readonly seconds: number }
  /** It would be that of another, or above the last bucket. */
  | { readonly kind: "skipped"; readonly name: string; readonly why: string };

/** Quantiles of live at which bounds are set, and how far above. */
export const boundQuantiles = [0.5, 0.95, 0.99] as const;
export const boundFactor = 1.25;

/** Requests at or under each bound, cumulative, as Prometheus counts them; the last bound is infinity. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** The quantile of live within a histogram: the bound of the bucket it is in. Never interpolated. */
function bucketOf({ bounds, counts }: Histogram, quantile: number): number {
  const total = counts.at(-1) ?? 0;
  const index = counts.findIndex((count) => count >= quantile * total && count > 0);
  return bounds[index] ?? Number.POSITIVE_INFINITY;
}

/** The quantile of single latencies: the smallest of them that so many are at or under. */
export function quantileOf(sorted: readonly number[], quantile: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)];
}

/**
 * The bounds by live's latencies before traffic moves: each quantile x 1.25, for a histogram then the next bucket bound at or above it.
 * `quantiles`: live's, in seconds, one per entry of `boundQuantiles`; `buckets`: the bounds that counters have, ascending; without: any
 * bound can be counted, as with single latencies.
 */
export function slowBounds(quantiles: readonly number[], buckets?: readonly number[]): readonly SlowBound[] {
  const taken = new Set<number>();
  return boundQuantiles.map((quantile, index) => {
    const name = `p${100 * quantile}`;
    const wanted = (quantiles[index] ?? Number.NaN) * boundFactor;
    const seconds =
      buckets === undefined ? wanted : (buckets.find((bound) => bound >= wanted) ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(seconds)) {
      return { kind: "skipped", name, why: "it lies above the last bucket that ends" };
    }
    if (taken.has(seconds)) return { kind: "skipped", name, why: "its bound is that of another quantile" };
    taken.add(seconds);
    return { kind: "bound", name, seconds };
  });
}

/** The same from live's histogram. Nothing counted: every bound is skipped. */
export function slowBoundsOfHistogram(histogram: Histogram): readonly SlowBound[] {
  const quantiles = boundQuantiles.map((quantile) => bucketOf(histogram, quantile));
  return slowBounds(quantiles, histogram.bounds);
}

/** How many took longer than the bound; `undefined`: no bucket ends there. */
export function slowerThan({ bounds, counts }: Histogram, seconds: number): number | undefined {
  const index = bounds.indexOf(seconds);
  const under = counts[index];
  const total = counts.at(-1);
  return under === undefined || total === undefined ? undefined : total - under;
}

/** Several replicas' histograms as one, at the bounds that all of them have; none of those without any request counts. */
export function summed(histograms: readonly Histogram[]): Histogram {
  const [first, ...others] = histograms.filter(({ bounds }) => bounds.length > 0);
  if (first === undefined) return { bounds: [], counts: [] };
  const bounds = first.bounds.filter((bound) => others.every((one) => one.bounds.includes(bound)));
  const at = (bound: number) =>
    [first, ...others].reduce((sum, one) => sum + (one.counts[one.bounds.indexOf(bound)] ?? 0), 0);
  return { bounds, counts: bounds.map(at) };
}
