import { describe, expect, test } from "vitest";
import { dispersionOf, dispersionWarning, noDispersion, withDispersion } from "./dispersion.ts";
import { blocksOf, ownBursts, randomOf, type Stream, schedule, steady } from "./simulation.fixture.ts";

function dispersion(stream: Stream): number {
  let memory = noDispersion;
  for (const { block } of blocksOf(randomOf(3), stream, { ...schedule, shares: [0.5, 0.5, 0.5] })) {
    memory = withDispersion(memory, block);
  }
  return dispersionOf(memory);
}

describe("dispersion", () => {
  test("is about 1 for independent requests, whatever the two rates", () => {
    expect(dispersion(steady({ new: 0.02, live: 0.02 }))).toBeLessThan(1.5);
    expect(dispersion(steady({ new: 0.06, live: 0.02 }))).toBeLessThan(1.6);
  });

  test("is over the warning where one slot has bursts", () => {
    const burst = { everySeconds: 120, lastSeconds: 10, rate: 0.2, begins: "anywhere" } as const;
    expect(dispersion(ownBursts({ new: 0.005, live: 0.005 }, burst))).toBeGreaterThan(dispersionWarning);
  });
});
