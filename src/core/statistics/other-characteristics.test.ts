import { describe, expect, test } from "vitest";
import { driftTest, isAlike, lnDrift, noDrift, noneAlike, withAlike, withPredictions } from "./drift.ts";
import { judgeMean, noBlocks, withDifference } from "./mean.ts";
import {
  lnPairsFail,
  lnPairsPass,
  noPairs,
  type PairCounts,
  type PairScore,
  scoreOf,
  withScore,
} from "./pairs.ts";
import { lnParityFail, noiseLimit, parityForm } from "./parity.ts";
import { judgeSegments } from "./segments.ts";
import { judgeShare } from "./share-check.ts";
import { binomial, exponential, normal, quantileOf, type Random, randomOf } from "./simulation.fixture.ts";

const isLong = process.env.MODELSWITCH_TEST_SOAK === "1";
const runs = (few: number) => (isLong ? few * 10 : few);
const alpha = 0.0125;
const mostOf = (count: number, part: number) => count * part + 2 * Math.sqrt(count * part * (1 - part));

/**
 * A pair whose answers have two values, the worst case of noise: live differs from itself with the chance `floor`, the new answer from live's
 * first with `differing`.
 */
function drawScore(random: Random, floor: number, differing: number): PairScore {
  const flips = (1 - Math.sqrt(1 - 2 * floor)) / 2;
  const isWrong = random() < (differing - floor) / (1 - 2 * floor);
  const first = random() < flips;
  return scoreOf(random() < flips !== (first !== isWrong), random() < flips !== first);
}

/** Pairs until the limit, looked at after every 10. */
function pairsUntil(
  seed: number,
  most: number,
  draw: (random: Random) => PairScore,
  evidence: (counts: PairCounts) => number,
  level: number,
): number {
  const random = randomOf(seed);
  let counts = noPairs;
  while (counts.pairs < most) {
    counts = withScore(counts, draw(random));
    if (counts.pairs % 10 === 0 && evidence(counts) >= Math.log(1 / level)) return counts.pairs;
  }
  return Number.POSITIVE_INFINITY;
}

function times(count: number, one: (seed: number) => number): readonly number[] {
  return Array.from({ length: runs(count) }, (_, run) => one(50_000 + run));
}

const found = (values: readonly number[]) => values.filter(Number.isFinite).length;

describe("pairs", { timeout: 300_000 }, () => {
  const against = (counts: PairCounts) => lnPairsFail(counts, 0.01);

  test.each([0, 0.02, 0.1])("identical builds with a floor of %d are not sent back", (floor) => {
    const ends = times(300, (seed) =>
      pairsUntil(seed, 3000, (r) => drawScore(r, floor, floor), against, alpha),
    );
    expect(found(ends)).toBeLessThanOrEqual(mostOf(ends.length, 0.001) + 1);
  });

  test("exactly at the margin: at most alpha", () => {
    const ends = times(400, (seed) =>
      pairsUntil(seed, 3000, (r) => drawScore(r, 0.01, 0.02), against, alpha),
    );
    expect(found(ends)).toBeLessThanOrEqual(mostOf(ends.length, alpha));
  });

  test("a floor of 2 % and 5 % of new differences: half by about 1,120 pairs, 90 % by 2,380", () => {
    const ends = times(150, (seed) =>
      pairsUntil(seed, 6000, (r) => drawScore(r, 0.02, 0.05), against, alpha),
    );
    expect(quantileOf(ends, 0.5)).toBeGreaterThan(800);
    expect(quantileOf(ends, 0.5)).toBeLessThan(1450);
    expect(quantileOf(ends, 0.9)).toBeLessThan(3200);
  });

  test("on the bad line at most 5 % pass; without a difference 180 pairs do", () => {
    const pass = (counts: PairCounts) => lnPairsPass(counts, 0.03);
    const bad = times(400, (seed) => pairsUntil(seed, 2000, (r) => drawScore(r, 0, 0.03), pass, 0.05));
    expect(found(bad)).toBeLessThanOrEqual(mostOf(bad.length, 0.05));
    expect(pairsUntil(1, 1000, () => 0, pass, 0.05)).toBe(180);
  });
});

describe("parity, undivided", () => {
  test("the limit of live's own noise is what the method's sheet has", () => {
    const percent = (x: number, n: number) => Number((100 * noiseLimit(x, n, alpha)).toPrecision(3));
    expect([percent(0, 400), percent(0, 1000), percent(2, 1000), percent(10, 1000)]).toEqual([
      2.38, 0.756, 1.31, 2.74,
    ]);
  });

  test("live that is noisier than 3 % is asked again, beside each new answer", () => {
    expect(parityForm({ requests: 1000, events: 40 }, alpha, 0.01)).toEqual({ kind: "pairs" });
    expect(parityForm({ requests: 0, events: 0 }, alpha, 0.01)).toEqual({ kind: "pairs" });
    expect(parityForm({ requests: 1000, events: 0 }, alpha, 0.01)).toMatchObject({
      kind: "one-sample",
      weight: 0.75,
    });
  });

  test("identical builds with a floor of 1 % are not sent back", { timeout: 120_000 }, () => {
    const ends = times(150, (seed) => {
      const random = randomOf(seed);
      const noise = { requests: 1000, events: binomial(random, 1000, 0.01) };
      const form = parityForm(noise, alpha);
      const draw = (r: Random) => (form.kind === "pairs" ? drawScore(r, 0.01, 0.01) : r() < 0.01 ? 1 : 0);
      return pairsUntil(seed + 1, 3000, draw, (counts) => lnParityFail(form, counts), alpha);
    });
    expect(found(ends)).toBeLessThanOrEqual(mostOf(ends.length, 0.001) + 1);
  });
});

describe("segments", { timeout: 300_000 }, () => {
  /** 50 segments of 133 inputs, looked at seven times; the verdict that fails, if any. */
  function segmentsRun(
    seed: number,
    floorOf: (index: number) => number,
    surplusOf: (index: number) => number,
  ) {
    const random = randomOf(seed);
    const counts: PairCounts[] = Array.from({ length: 50 }, () => noPairs);
    for (let input = 1; input <= 133; input++) {
      for (const [index, one] of counts.entries()) {
        counts[index] = withScore(one, drawScore(random, floorOf(index), floorOf(index) + surplusOf(index)));
      }
      if (input % 19 !== 0) continue;
      const verdict = judgeSegments(
        counts.map((one) => lnPairsFail(one, 0.01)),
        alpha,
      );
      if (verdict.fails) return verdict;
    }
    return undefined;
  }

  test("one noisy segment of an identical build sends nothing back", () => {
    const results = Array.from({ length: runs(100) }, (_, run) =>
      segmentsRun(
        run,
        (index) => (index === 0 ? 0.3 : 0.002),
        () => 0,
      ),
    );
    expect(results.filter((one) => one !== undefined).length).toBeLessThanOrEqual(
      mostOf(runs(100), 0.001) + 1,
    );
  });

  test("one segment of fifty that is worse by 30 points, beside a noisy one, is found and named, and no other", () => {
    const results = Array.from({ length: runs(50) }, (_, run) =>
      segmentsRun(
        run,
        (index) => (index === 0 ? 0.3 : 0.002),
        (index) => (index === 7 ? 0.3 : 0),
      ),
    );
    expect(results.filter((one) => one !== undefined).length / results.length).toBeGreaterThan(0.95);
    const named = results.flatMap((one) => one?.named ?? []);
    expect(named.filter((index) => index !== 7)).toEqual([]);
    expect(named.length / results.length).toBeGreaterThan(0.9);
  });
});

describe("predictions in ten bins, blocks of 25 of each slot", { timeout: 300_000 }, () => {
  /** Predictions of each slot until all bins are shown to be under the bad line. */
  function alikeRun(seed: number, shares: readonly number[]): number {
    const random = randomOf(seed);
    const draw = (of: readonly number[]) => {
      const bins = of.map(() => 0);
      for (let index = 0; index < 25; index++) {
        const value = random();
        let sum = 0;
        let at = 0;
        for (const [bin, share] of of.entries()) {
          if (sum <= value) at = bin;
          sum += share;
        }
        bins[at] = (bins[at] ?? 0) + 1;
      }
      return bins;
    };
    let memory = noneAlike(10);
    for (let predictions = 25; predictions <= 1_800; predictions += 25) {
      memory = withAlike(memory, { new: draw(shares), live: draw(tenths) });
      if (isAlike(memory)) return predictions;
    }
    return Number.POSITIVE_INFINITY;
  }
  const tenths = Array.from({ length: 10 }, () => 0.1);

  test("alike: shown by 650 in the median; with one bin on the bad line hardly ever", () => {
    const alike = Array.from({ length: runs(8) }, (_, run) => alikeRun(run, tenths));
    expect(found(alike)).toBe(alike.length);
    expect(quantileOf(alike, 0.5)).toBeLessThan(1_000);
    const onLine = [0.22, ...Array.from({ length: 9 }, () => 0.78 / 9)];
    const bad = Array.from({ length: runs(8) }, (_, run) => alikeRun(run, onLine));
    expect(found(bad)).toBeLessThanOrEqual(mostOf(bad.length, 0.05) + 1);
  });
});

describe("drift in deciles, a share of 10 %", { timeout: 300_000 }, () => {
  const cuts = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];
  const driftOf = driftTest();

  function driftRun(seed: number, shift: number): number {
    const random = randomOf(seed);
    const draw = (count: number, by: number) => {
      const bins = Array.from({ length: 10 }, () => 0);
      for (let index = 0; index < count; index++) {
        const value = normal(random) + by;
        const bin = cuts.findIndex((cut) => value < cut);
        const at = bin === -1 ? 9 : bin;
        bins[at] = (bins[at] ?? 0) + 1;
      }
      return bins;
    };
    let memory = noDrift(driftOf, 10);
    for (let requests = 500; requests <= 15_000; requests += 500) {
      memory = withPredictions(driftOf, memory, { new: draw(50, shift), live: draw(450, 0) });
      if (lnDrift(driftOf, memory) >= Math.log(1 / alpha)) return requests;
    }
    return Number.POSITIVE_INFINITY;
  }

  test("none in the same, in the median 3,500 requests for half a standard deviation", () => {
    expect(found(Array.from({ length: runs(8) }, (_, run) => driftRun(run, 0)))).toBe(0);
    const ends = Array.from({ length: runs(12) }, (_, run) => driftRun(run, 0.5));
    expect(found(ends)).toBe(ends.length);
    expect(quantileOf(ends, 0.5)).toBeGreaterThan(2000);
    expect(quantileOf(ends, 0.5)).toBeLessThan(5500);
  });
});

describe("the share check", { timeout: 120_000 }, () => {
  function mismatchAt(seed: number, declared: number, real: number, most: number): number {
    const random = randomOf(seed);
    let seen = { newRequests: 0, requests: 0 };
    while (seen.requests < most) {
      const newRequests = binomial(random, 500, real);
      seen = { newRequests: seen.newRequests + newRequests, requests: seen.requests + 500 };
      if (judgeShare(declared, 3, seen).kind === "mismatch") return seen.requests;
    }
    return Number.POSITIVE_INFINITY;
  }

  test("a right share is not doubted", () => {
    expect(found(times(100, (seed) => mismatchAt(seed, 0.05, 0.05, 50_000)))).toBeLessThanOrEqual(1);
  });

  test("6 % for 5 % is seen after about 10,000 requests, 45 for 50 % after about 2,000", () => {
    const small = times(60, (seed) => mismatchAt(seed, 0.05, 0.06, 60_000));
    expect(quantileOf(small, 0.5)).toBeGreaterThan(6000);
    expect(quantileOf(small, 0.5)).toBeLessThan(15_000);
    const half = times(60, (seed) => mismatchAt(seed, 0.5, 0.45, 20_000));
    expect(quantileOf(half, 0.5)).toBeGreaterThan(1000);
    expect(quantileOf(half, 0.5)).toBeLessThan(3500);
  });
});

describe("means by block differences", { timeout: 120_000 }, () => {
  /** The block at which it fails against a margin of 0. */
  function meanRun(seed: number, draw: (random: Random) => number): number {
    const random = randomOf(seed);
    let memory = noBlocks;
    for (let block = 1; block <= 400; block++) {
      memory = withDifference(memory, draw(random));
      if (judgeMean(memory, 0, alpha) === "fail") return block;
    }
    return Number.POSITIVE_INFINITY;
  }

  const meanOf = (random: Random, count: number) => {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += exponential(random);
    return sum / count;
  };

  test.each<{ readonly name: string; readonly draw: (random: Random) => number }>([
    { name: "normal", draw: normal },
    { name: "means of 20 exponentials", draw: (random) => 1 - meanOf(random, 20) },
  ])("$name: false alarms are rare at any of 400 looks", ({ draw }) => {
    const ends = times(300, (seed) => meanRun(seed, draw));
    expect(found(ends)).toBeLessThanOrEqual(mostOf(ends.length, 0.021));
  });

  test("rare very good values may not send back: it says that it cannot tell", () => {
    const random = randomOf(3);
    let memory = noBlocks;
    for (let block = 1; block <= 200; block++) memory = withDifference(memory, 1 + 0.1 * normal(random));
    expect(judgeMean(memory, 0, alpha)).toBe("fail");
    memory = withDifference(memory, -40);
    memory = { ...memory, mean: 5 };
    expect(judgeMean(memory, 0, alpha)).toBe("inconclusive");
  });
});
