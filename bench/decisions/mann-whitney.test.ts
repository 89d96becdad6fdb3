import { expect, test } from "vitest";
import { casesOf } from "../../src/core/statistics/vectors.fixture.ts";
import { isHigh, shiftOf } from "./mann-whitney.ts";

interface In {
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
}

test.each(
  casesOf<In, { lower: number; estimate: number; upper: number; high: boolean }>("kayentaMannWhitney"),
)("Kayenta's interval, as its own root search finds it: case %#", ({ in: { canary, baseline }, out }) => {
  const shift = shiftOf(canary, baseline);
  expect(shift.lower).toBeCloseTo(out.lower, 3);
  expect(shift.estimate).toBeCloseTo(out.estimate, 3);
  expect(shift.upper).toBeCloseTo(out.upper, 3);
  expect(isHigh(canary, baseline)).toBe(out.high);
});

test("identical series are not high", () => {
  expect(isHigh([0, 0, 0, 0, 0], [0, 0, 0, 0, 0])).toBe(false);
});
