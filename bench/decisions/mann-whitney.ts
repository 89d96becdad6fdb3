/** Where the shift between two series lies, at a two-sided confidence, by the normal approximation to Mann and Whitney's statistic. */
export interface Shift {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
}

/** Upper 1 % point of the normal distribution: of Kayenta's confidence of 98 %. */
const z = 2.3263478740408408;

/**
 * The interval that Kayenta's `MannWhitney.scala` finds by root search, in its order-statistic form: the statistic of `canary - d` and
 * `baseline` is the number of differences above d, so each root is one of the differences. Continuity correction 0.5; no correction for ties.
 */
export function shiftOf(canary: readonly number[], baseline: readonly number[]): Shift {
  const differences = canary.flatMap((x) => baseline.map((y) => x - y)).sort((a, b) => b - a);
  const n = canary.length;
  const m = baseline.length;
  const half = (n * m) / 2;
  const sigma = Math.sqrt((n * m * (n + m + 1)) / 12);
  /** Where the number of differences above falls under so many. */
  const under = (count: number) =>
    differences[Math.min(differences.length - 1, Math.max(0, Math.ceil(count) - 1))] ?? 0;
  return {
    lower: under(half + 0.5 + z * sigma),
    // The correction is left in here as well.
    estimate: under(Math.floor(half + 0.5) + 1),
    upper: under(half - 0.5 - z * sigma),
  };
}

/** Kayenta's "High" with its defaults: a tolerance of a quarter of the estimate, and a mean that did not fall. */
export function isHigh(canary: readonly number[], baseline: readonly number[]): boolean {
  const { lower, estimate } = shiftOf(canary, baseline);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return lower > 0.25 * Math.abs(estimate) && mean(canary) >= mean(baseline);
}
