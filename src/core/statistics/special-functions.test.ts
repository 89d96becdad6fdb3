import { describe, expect, test } from "vitest";
import { lnBeta, lnGamma, lnNormalCdf, normalCdf, regularisedBeta } from "./special-functions.ts";
import { expectClose } from "./vectors.fixture.ts";

describe("special functions", () => {
  test("ln Gamma at values that are known", () => {
    expectClose(lnGamma(0.5), 0.5 * Math.log(Math.PI), 1e-14);
    expectClose(lnGamma(11), Math.log(3_628_800), 1e-14);
    expect(lnGamma(1)).toBeCloseTo(0, 14);
    // Gamma(x + 1) = x Gamma(x), across the place where the series begins.
    for (const x of [1e-6, 0.3, 4.7, 11.5, 12.5, 1e5])
      expectClose(lnGamma(x + 1), Math.log(x) + lnGamma(x), 1e-9);
    expectClose(lnBeta(2, 3), Math.log(1 / 12), 1e-14);
  });

  test("the normal distribution, far into its tails", () => {
    expect(normalCdf(0)).toBe(0.5);
    expectClose(normalCdf(1.959963984540054), 0.975, 1e-12);
    expectClose(normalCdf(-3.1), 0.0009676032132183561, 1e-12);
    expectClose(normalCdf(-2.9), 0.0018658133003840378, 1e-12);
    expectClose(lnNormalCdf(-10), -53.23128515051247, 1e-12);
    expectClose(lnNormalCdf(-40), -804.6084420137538, 1e-12);
    expectClose(normalCdf(5), 1 - 2.866515718791939e-7, 1e-14);
  });

  test("the incomplete beta function as a sum of binomial chances", () => {
    // P(Bin(10, 0.3) >= 4)
    expectClose(regularisedBeta(0.3, 4, 7), 0.3503892816, 1e-12);
    expect(regularisedBeta(0, 2, 3)).toBe(0);
    expect(regularisedBeta(1, 2, 3)).toBe(1);
    expectClose(regularisedBeta(0.9, 2, 3) + regularisedBeta(0.1, 3, 2), 1, 1e-14);
  });
});
