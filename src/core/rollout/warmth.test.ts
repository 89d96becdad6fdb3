import fc from "fast-check";
import { expect, test } from "vitest";
import { isSlowBeside, isWarm } from "./warmth.ts";

test("a steady latency is warm after ten answers, not before", () => {
  expect(isWarm(Array.from({ length: 9 }, () => 20))).toBe(false);
  expect(isWarm(Array.from({ length: 10 }, () => 20))).toBe(true);
});

test("one that still falls is not", () => {
  expect(isWarm([2000, 1500, 1200, 900, 700, 500, 400, 300, 220, 150])).toBe(false);
  expect(isWarm([2000, 900, 400, 100, 50, 40, 40, 41, 39, 40])).toBe(true);
});

test("a straggler among the last answers is not", () => {
  expect(isWarm([20, 20, 20, 20, 20, 20, 20, 90, 20, 20])).toBe(false);
});

test("more of the same latency keeps it warm", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 1e5, noNaN: true }),
      fc.integer({ min: 10, max: 60 }),
      (ms, count) => {
        expect(isWarm(Array.from({ length: count }, () => ms))).toBe(true);
      },
    ),
  );
});

test("one that is steady, and several times as slow as live, may be cold", () => {
  const slow = Array.from({ length: 10 }, () => 200);
  expect(isSlowBeside(slow, [20, 24, 22, 300, 21])).toBe(true);
  expect(isSlowBeside([...slow, 40, 38, 41, 43, 40], [20, 24, 22, 300, 21])).toBe(false);
  expect(isSlowBeside(slow, [])).toBe(false);
  // Of answers that take a millisecond a few more say nothing.
  expect(isSlowBeside([9, 9, 9, 9, 9], [1, 1, 1])).toBe(false);
});
