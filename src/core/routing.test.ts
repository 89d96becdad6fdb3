import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isShare,
  liveSlot,
  type Routing,
  sameRouting,
  settled,
  settledOn,
  sharedAsNear,
  splitOf,
  stepsTo,
} from "./routing.ts";
import { otherSlot, slots } from "./slots.ts";

const slot = fc.constantFrom(...slots);
/** Everything that the two objects can say, not only what a step leaves behind. */
const anyRouting: fc.Arbitrary<Routing> = fc.record({
  main: slot,
  candidate: slot,
  weight: fc.oneof(
    fc.constantFrom(0, 100),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 10_000 }).map((share) => share / 100),
  ),
});

/** The objects that a write touches: the main object's backend, and the canary object. */
function objectsChanged(before: Routing, after: Routing): string[] {
  return [
    ...(before.main === after.main ? [] : ["main"]),
    ...(before.candidate === after.candidate && before.weight === after.weight ? [] : ["canary"]),
  ];
}

describe("splitOf", () => {
  test("sums to 100", () => {
    fc.assert(
      fc.property(anyRouting, (routing) => {
        const { blue, green } = splitOf(routing);
        expect(blue + green).toBe(100);
      }),
    );
  });

  test("gives everything to main when the candidate is the same slot", () => {
    expect(splitOf({ main: "green", candidate: "green", weight: 40 })).toEqual({ blue: 0, green: 100 });
  });

  test("gives the candidate its weight", () => {
    expect(splitOf({ main: "blue", candidate: "green", weight: 25 })).toEqual({ blue: 75, green: 25 });
  });
});

describe("liveSlot", () => {
  test("carries at least half of the traffic", () => {
    fc.assert(
      fc.property(anyRouting, (routing) => {
        expect(splitOf(routing)[liveSlot(routing)]).toBeGreaterThanOrEqual(50);
      }),
    );
  });

  test("is main when both carry the same", () => {
    expect(liveSlot({ main: "blue", candidate: "green", weight: 50 })).toBe("blue");
    expect(liveSlot({ main: "blue", candidate: "green", weight: 51 })).toBe("green");
  });
});

describe("stepsTo with weights", () => {
  test("changes exactly one routing object in each step", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, current) => {
        let at = current;
        for (const step of stepsTo(target, current, { weights: true })) {
          expect(objectsChanged(at, step.routing)).toHaveLength(1);
          at = step.routing;
        }
      }),
    );
  });

  test("never takes traffic from the target", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, current) => {
        let share = splitOf(current)[target];
        for (const step of stepsTo(target, current, { weights: true })) {
          const next = splitOf(step.routing)[target];
          expect(next).toBeGreaterThanOrEqual(share);
          share = next;
        }
      }),
    );
  });

  test("writes the main backend only while no traffic goes through it", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, current) => {
        let at = current;
        for (const step of stepsTo(target, current, { weights: true })) {
          if (step.routing.main !== at.main) expect(splitOf(at)[at.main]).toBe(0);
          at = step.routing;
        }
      }),
    );
  });

  test("ends settled on the target", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, current) => {
        const last = stepsTo(target, current, { weights: true }).at(-1)?.routing ?? current;
        expect(last).toEqual(settledOn(target));
      }),
    );
  });

  test("calls a step visible exactly when the split changes", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, current) => {
        let at = current;
        for (const step of stepsTo(target, current, { weights: true })) {
          expect(step.visible).toBe(splitOf(at)[target] !== splitOf(step.routing)[target]);
          at = step.routing;
        }
      }),
    );
  });

  test("resumes after a kill at any step, and can turn round instead", () => {
    fc.assert(
      fc.property(slot, slot, anyRouting, fc.nat(4), (first, second, start, done) => {
        const left = stepsTo(first, start, { weights: true })[done]?.routing ?? settledOn(first);
        const last = stepsTo(second, left, { weights: true }).at(-1)?.routing ?? left;
        expect(last).toEqual(settledOn(second));
      }),
    );
  });

  test("does nothing where it is settled already", () => {
    for (const target of slots) expect(stepsTo(target, settledOn(target), { weights: true })).toEqual([]);
  });

  test("goes by shift, commit and re-arm from the other slot", () => {
    const names = stepsTo("green", settledOn("blue"), { weights: true }).map((step) => step.name);
    expect(names).toEqual(["shift", "commit", "re-arm"]);
  });

  test("arms the target first when the canary object still stands for the main slot", () => {
    const left: Routing = { main: "blue", candidate: "blue", weight: 100 };
    const names = stepsTo("green", left, { weights: true }).map((step) => step.name);
    expect(names).toEqual(["arm", "shift", "commit", "re-arm"]);
  });
});

describe("stepsTo with weights alone", () => {
  const byWeight = { weights: true, commit: false };

  test("is one write, visible where the split changes, and none where it is as wanted", () => {
    fc.assert(
      fc.property(slot, anyRouting, (target, routing) => {
        const current = settled(routing);
        const steps = stepsTo(target, current, byWeight);
        const isThere = splitOf(current)[target] === 100;
        expect(steps.map(({ routing: goal, visible }) => ({ goal, visible }))).toEqual(
          isThere ? [] : [{ goal: settledOn(target), visible: true }],
        );
      }),
    );
  });

  test("a routing and what is read of it say the same split", () => {
    fc.assert(
      fc.property(anyRouting, (routing) => {
        expect(splitOf(settled(routing))).toEqual(splitOf(routing));
        expect(settled(settled(routing))).toEqual(settled(routing));
      }),
    );
  });
});

describe("stepsTo without weights", () => {
  test("is one visible write of the main backend, or none", () => {
    fc.assert(
      fc.property(slot, slot, (target, main) => {
        const steps = stepsTo(target, settledOn(main), { weights: false });
        if (main === target) expect(steps).toEqual([]);
        else expect(steps).toEqual([{ name: "switch", routing: settledOn(target), visible: true }]);
      }),
    );
  });
});

test("sameRouting compares every part", () => {
  fc.assert(
    fc.property(anyRouting, anyRouting, (a, b) => {
      expect(sameRouting(a, { ...a })).toBe(true);
      expect(sameRouting(a, b)).toBe(objectsChanged(a, b).length === 0);
    }),
  );
});

test("the other slot's other slot is the slot itself", () => {
  for (const one of slots) {
    expect(otherSlot(one)).not.toBe(one);
    expect(otherSlot(otherSlot(one))).toBe(one);
  }
});

test("shares of both slots are hundredths, and a hundred together", () => {
  for (let share = 0; share <= 10_000; share++) {
    const { blue, green } = splitOf({ main: "blue", candidate: "green", weight: share / 100 });
    expect(isShare(blue) && isShare(green)).toBe(true);
    expect(Math.round(100 * blue) + Math.round(100 * green)).toBe(10_000);
  }
  expect([0.125, 100.01, -0.01, Number.NaN].filter(isShare)).toEqual([]);
});

test("a share that somebody wrote is read as the nearest that a router can say, of both slots some", () => {
  expect([0.004, 0.126, 33.333, 99.999].map((one) => sharedAsNear(one, 0.01))).toEqual([
    0.01, 0.13, 33.33, 99.99,
  ]);
  expect([0.004, 0.6, 33.333, 99.999].map((one) => sharedAsNear(one, 1))).toEqual([1, 1, 33, 99]);
});
