import { describe, expect, test } from "vitest";
import { quantileOf, slowBounds, slowBoundsOfHistogram, slowerThan } from "./exceedance.ts";

const buckets = [0.05, 0.1, 0.25, 0.5, 1, Number.POSITIVE_INFINITY];

describe("bounds of slow answers", () => {
  test("live's quantiles x 1.25, at the next bucket bound", () => {
    expect(slowBounds([0.07, 0.3, 0.6], buckets)).toEqual([
      { kind: "bound", name: "p50", seconds: 0.1 },
      { kind: "bound", name: "p95", seconds: 0.5 },
      { kind: "bound", name: "p99", seconds: 1 },
    ]);
  });

  test("one that equals another or has no bucket that ends is skipped, and says why", () => {
    expect(slowBounds([0.07, 0.075, 3], buckets)).toMatchObject([
      { kind: "bound", seconds: 0.1 },
      { kind: "skipped", name: "p95" },
      { kind: "skipped", name: "p99", why: "it lies above the last bucket that ends" },
    ]);
  });

  test("single latencies need no bucket", () => {
    expect(slowBounds([0.08, 0.2, 0.4])).toMatchObject([
      { seconds: 0.1 },
      { seconds: 0.25 },
      { seconds: 0.5 },
    ]);
  });

  test("of a histogram, never within a bucket", () => {
    const histogram = { bounds: buckets, counts: [10, 60, 90, 99, 100, 100] };
    expect(slowBoundsOfHistogram(histogram)).toMatchObject([
      { name: "p50", seconds: 0.25 },
      { name: "p95", seconds: 1 },
      { name: "p99", kind: "skipped" },
    ]);
    expect(
      slowBoundsOfHistogram({ bounds: buckets, counts: [0, 0, 0, 0, 0, 0] }).map(({ kind }) => kind),
    ).toEqual(["skipped", "skipped", "skipped"]);
    expect(slowerThan(histogram, 0.25)).toBe(10);
    expect(slowerThan(histogram, 0.3)).toBeUndefined();
  });

  test("the quantile of single values is one of them", () => {
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2);
    expect(quantileOf([], 0.5)).toBeUndefined();
  });
});
