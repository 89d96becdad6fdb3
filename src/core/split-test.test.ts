import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TrafficSplit } from "./routing.ts";
import type { Slot } from "./slots.ts";
import { type Rival, rivalsOf, weigh } from "./split-test.ts";

const of = (green: number): TrafficSplit => ({ blue: 100 - green, green });
const share = fc.integer({ min: 0, max: 100 });

/** Numbers from 0 to 1 that look random (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As a controller that draws lots for each request. */
function byLot(split: TrafficSplit, seed: number): () => Slot {
  const random = randomFrom(seed);
  return () => (random() * 100 < split.green ? "green" : "blue");
}

/** As a controller that goes round. */
function inTurn(split: TrafficSplit): () => Slot {
  let turn = 0;
  return () => {
    turn += split.green;
    if (turn < 100) return "blue";
    turn -= 100;
    return "green";
  };
}

/** After how many answers the declared split is told from the rival; `undefined`: not within the answers given. */
function answersNeeded(declared: TrafficSplit, rival: Rival, answer: () => Slot, most: number) {
  let score = 0;
  for (let count = 1; count <= most; count += 1) {
    score = weigh(score, answer(), declared, rival);
    if (score >= rival.threshold) return count;
  }
  return undefined;
}

const only = (declared: TrafficSplit, rival: TrafficSplit, controllerReplicas = 1): Rival => {
  const [found] = rivalsOf(declared, [rival], controllerReplicas);
  if (found === undefined) throw new Error("there is a rival");
  return found;
};

describe("what a split is to be told from", () => {
  test("is each other split that was declared, once", () => {
    const splits = rivalsOf(of(25), [of(0), of(25), of(50), of(0)], 3).map(({ split }) => split);
    expect(splits).toEqual([of(0), of(50)]);
    expect(rivalsOf(of(0), [], 3)).toEqual([]);
  });

  test.each([
    // Nothing of the old side: that many answers in a row without it.
    [0, 100, 1],
    [0, 50, 20],
    [0, 25, 49],
    [0, 5, 270],
    [100, 50, 20],
    // The first answer of the new side.
    [5, 0, 20],
    [50, 25, 110],
  ])("%i %% of the traffic is told from %i %% in about %i answers", (declared, rival, answers) => {
    const needed = answersNeeded(of(declared), only(of(declared), of(rival)), inTurn(of(declared)), 1_000);
    expect(needed).toBeLessThanOrEqual(answers);
    expect(needed).toBeGreaterThanOrEqual(Math.floor(answers * 0.8));
  });
});

describe("several replicas of the controller behind one address", () => {
  test.each([
    [0, 100, 35],
    [0, 25, 160],
    [100, 50, 77],
  ])(
    "declared %i, before %i: told from one of three that is behind in about %i answers",
    (declared, rival, answers) => {
      const against = only(of(declared), of(rival), 3);
      const needed = answersNeeded(of(declared), against, inTurn(of(declared)), 1_000);
      expect(needed).toBeLessThanOrEqual(answers);
      expect(needed).toBeGreaterThanOrEqual(Math.floor(answers * 0.9));
    },
  );

  test.each([
    [0, 100],
    [0, 50],
    [0, 25],
  ])("declared %i and at one of three still %i: not believed", (declared, shown) => {
    const seen = of(declared + (shown - declared) / 3);
    const seeds = Array.from({ length: 200 }, (_, index) => index);
    const believed = (replicas: number) =>
      seeds.filter((seed) => {
        const rival = only(of(declared), of(shown), replicas);
        return answersNeeded(of(declared), rival, byLot(seen, seed), 300) !== undefined;
      }).length;
    expect(believed(3)).toBe(0);
    // Whoever expects one replica takes that for the whole truth.
    expect(believed(1)).toBeGreaterThan(40);
  });

  test("a share of both is told from what all of them would show", () => {
    expect(rivalsOf(of(50), [of(25)], 3)).toEqual(rivalsOf(of(50), [of(25)], 1));
  });
});

describe("an answer", () => {
  test("that the declared split does not allow takes everything back", () => {
    const rival = only(of(0), of(25));
    expect(weigh(rival.threshold, "green", of(0), rival)).toBe(0);
  });

  test("never takes a score below nothing, and what is ruled out stays so", () => {
    fc.assert(
      fc.property(
        share,
        share,
        fc.array(fc.constantFrom<Slot>("blue", "green")),
        (declared, rival, answers) => {
          for (const against of rivalsOf(of(declared), [of(rival)], 1)) {
            let score = 0;
            for (const answer of answers) {
              const before = score;
              score = weigh(score, answer, of(declared), against);
              expect(score).toBeGreaterThanOrEqual(0);
              const isAllowed = of(declared)[answer] > 0;
              if (before >= against.threshold && isAllowed) expect(score).toBe(before);
            }
          }
        },
      ),
    );
  });
});

describe("an ingress", () => {
  test("that shows what is declared is believed, whichever way it shares out", () => {
    fc.assert(
      fc.property(share, share, fc.integer(), (declared, earlier, seed) => {
        for (const rival of rivalsOf(of(declared), [of(earlier)], 1)) {
          for (const answer of [byLot(of(declared), seed), inTurn(of(declared))]) {
            expect(answersNeeded(of(declared), rival, answer, 20_000)).toBeDefined();
          }
        }
      }),
    );
  });

  test.each([
    [0, 25],
    [0, 5],
    [100, 50],
    [50, 25],
    [25, 0],
  ])("that should show %i %% and still shows %i %% is not believed in 3000 answers", (declared, shown) => {
    const rival = only(of(declared), of(shown));
    const seeds = Array.from({ length: 200 }, (_, index) => index);
    const believed = seeds.filter(
      (seed) => answersNeeded(of(declared), rival, byLot(of(shown), seed), 3_000) !== undefined,
    );
    // One run in 300 at most, by the mean number of answers until then.
    expect(believed.length).toBeLessThanOrEqual(2);
    expect(answersNeeded(of(declared), rival, inTurn(of(shown)), 3_000)).toBeUndefined();
  });
});
