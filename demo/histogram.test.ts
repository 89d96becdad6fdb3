import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyHistogram } from "./histogram.ts";

test("quantiles are within 2 % above the exact ones", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.02, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1] ?? 0;
        const found = histogram.quantile(share);
        expect(found).toBeGreaterThanOrEqual(exact * 0.999_999);
        expect(found).toBeLessThanOrEqual(exact * 1.021);
      },
    ),
  );
});

test("an empty one is all zeros, and values out of range are kept in the outer buckets", () => {
  const histogram = new LatencyHistogram();
  expect(histogram.summary()).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, maximum: 0, mean: 0 });
  histogram.record(0);
  histogram.record(1e12);
  expect(histogram.summary()).toMatchObject({ count: 2, maximum: 1e12 });
});
