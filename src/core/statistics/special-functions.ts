/**
 * The few special functions that the methods need, for positive arguments, in doubles. Written here because the core imports no
 * library; held against values of 40-digit arithmetic in the vectors.
 */

const lnSqrt2Pi = 0.5 * Math.log(2 * Math.PI);

/** From here on eight terms of Stirling's series are exact to a relative 1e-16. */
const stirlingFrom = 12;

/** Bernoulli numbers over 2k(2k-1), k = 1, 2, … */
const stirlingTerms = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360_360,
  1 / 156,
  -3617 / 122_400,
];

/** ln Gamma(x), x > 0. Source: Stirling's series after the recurrence (Abramowitz and Stegun 6.1.15, 6.1.40). */
export function lnGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < stirlingFrom) {
    product *= shifted;
    shifted += 1;
  }
  const inverse = 1 / shifted;
  let series = 0;
  let power = inverse;
  for (const term of stirlingTerms) {
    series += term * power;
    power *= inverse * inverse;
  }
  return (shifted - 0.5) * Math.log(shifted) - shifted + lnSqrt2Pi + series - Math.log(product);
}

/** ln B(a, b), a and b > 0. */
export function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

/** ln of the standard normal density. */
function lnNormalDensity(x: number): number {
  return -0.5 * x * x - lnSqrt2Pi;
}

/** The standard normal density. */
export function normalDensity(x: number): number {
  return Math.exp(lnNormalDensity(x));
}

/** The standard normal distribution function. Source: Abramowitz and Stegun 26.2.11 near 0, 26.2.14 in the tails. */
export function normalCdf(x: number): number {
  if (x > 3) return 1 - normalCdf(-x);
  return Math.exp(lnNormalCdf(x));
}

/** ln of the standard normal distribution function, also far in the lower tail, where the function itself is 0 in doubles. */
export function lnNormalCdf(x: number): number {
  if (x > 3) return Math.log1p(-normalCdf(-x));
  if (x < -3) {
    // Laplace's continued fraction, from its 80th term upwards.
    let fraction = -x;
    for (let term = 80; term >= 1; term--) fraction = -x + term / fraction;
    return lnNormalDensity(x) - Math.log(fraction);
  }
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-18 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return Math.log(0.5 + normalDensity(x) * sum);
}

/** The regularised incomplete beta function I_x(a, b). Source: DLMF 8.17.22, evaluated by Lentz's method. */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - lnBeta(a, b)) / a;
  const tiny = 1e-300;
  const awayFromZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    const change = d * c;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * fraction;
}
