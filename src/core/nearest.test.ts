import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { didYouMean, editDistance, nearest } from "./nearest.ts";

describe("nearest", () => {
  test.each([
    ["gren", ["blue", "green"], "green"],
    ["hots", ["host", "path", "tls"], "host"],
    ["swich", ["status", "switch", "up"], "switch"],
    ["dep", ["deadlines", "deployments"], "deployments"],
    ["Blue", ["blue", "green"], "blue"],
    ["xylophone", ["blue", "green"], undefined],
    ["a", ["b"], "b"],
  ])("of %s among %j is %s", (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });

  test("says nothing where nothing is close, or the word itself is there", () => {
    expect(didYouMean("xylophone", ["blue"])).toBe("");
    expect(didYouMean("blue", ["blue"])).toBe("");
    expect(didYouMean("bleu", ["blue"])).toBe('; did you mean "blue"?');
  });

  test("the distance is a metric as far as suggestions need it", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
