/**
 * Evidence is kept as the natural logarithm of an e-value: it may reach hundreds, and is never exponentiated but for differences.
 */

/** ln of the sum of exp(x). Empty: minus infinity. */
export function lnSumExp(values: readonly number[]): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

/** ln of the sum of weight x exp(x). The lists are of one length. */
export function lnMixture(weights: readonly number[], values: readonly number[]): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    sum += (weights[index] ?? 0) * Math.exp((values[index] ?? Number.NEGATIVE_INFINITY) - largest);
  }
  return largest + Math.log(sum);
}

/** ln of the mean of exp(x). */
export function lnMeanExp(values: readonly number[]): number {
  return lnSumExp(values) - Math.log(values.length);
}

/** x ln(x/y), 0 where x is 0. */
function xLnRatio(x: number, y: number): number {
  return x === 0 ? 0 : x * Math.log(x / y);
}

/** Kullback-Leibler divergence of two Bernoulli distributions, in nats per observation. */
export function divergence(a: number, b: number): number {
  return xLnRatio(a, b) + xLnRatio(1 - a, 1 - b);
}
