import { describe, expect, test } from "vitest";
import { type CountedSlot, nothingSent } from "../core/statistics/counted.ts";
import { binomial, type Random, randomOf } from "../core/statistics/simulation.fixture.ts";
import { judgeTraffic, nothingSeen, type TrafficMemory, type TrafficRules } from "./traffic-judge.ts";

interface Rates {
  readonly errors: number;
  readonly slow: number;
}

const rules: TrafficRules = { latency: "found", alpha: 0.05 };
const shares = [5, 25, 50];
const perBlock = 400;
const blocksPerStep = 12;

/** A release in three steps, as the gate that is there by itself judges it: how it ends, and after how many blocks. */
function ends(
  live: Rates,
  fresh: Rates,
  random: Random,
): { readonly isBack: boolean; readonly blocks: number } {
  let memory: TrafficMemory = nothingSeen;
  const counted = {
    blue: { requests: 2000, errors: 0, slow: 20 },
    green: { requests: 0, errors: 0, slow: 0 },
  };
  const slotOf = ({ requests, errors, slow }: typeof counted.blue): CountedSlot => ({
    requests,
    errors,
    latencies: {
      bounds: [0.1, 0.3, Number.POSITIVE_INFINITY],
      counts: [requests - slow, requests - slow, requests],
    },
  });
  let blocks = 0;
  for (const [stepIndex, share] of shares.entries()) {
    for (let block = 0; block <= blocksPerStep; block++) {
      const add = (slot: "blue" | "green", requests: number, rates: Rates) => {
        const of = counted[slot];
        counted[slot] = {
          requests: of.requests + requests,
          errors: of.errors + binomial(random, requests, rates.errors),
          slow: of.slow + binomial(random, requests, rates.slow),
        };
      };
      add("green", (perBlock * share) / 100, fresh);
      add("blue", perBlock - (perBlock * share) / 100, live);
      blocks += 1;
      const judged = judgeTraffic(
        memory,
        {
          kind: "read",
          atMs: blocks * 10_000,
          controller: "Traefik",
          where: "there",
          slots: { blue: slotOf(counted.blue), green: slotOf(counted.green) },
          own: { blue: nothingSent, green: nothingSent },
          era: "one",
          isDisturbed: false,
          isShareChecked: true,
          longestRequestMs: 0,
          steps: shares.length,
        },
        rules,
        { slot: "green", stepIndex, split: { blue: 100 - share, green: share } },
      );
      memory = judged.memory;
      if (judged.verdict.verdict === "fail") return { isBack: true, blocks };
    }
  }
  return { isBack: false, blocks };
}

function sentBack(runs: number, live: Rates, fresh: Rates): number {
  const random = randomOf(20_261_201);
  return Array.from({ length: runs }, () => ends(live, fresh, random)).filter(({ isBack }) => isBack).length;
}

const isLong = process.env.MODELSWITCH_TEST_SOAK === "1";
const runs = isLong ? 1_000 : 40;

describe("the gate that is there by itself, in three steps of two minutes at 40 requests/s", () => {
  test("sends back no more equal releases than it says, and in truth far fewer", { timeout: 600_000 }, () => {
    const usual = { errors: 0.005, slow: 0.02 };
    expect(sentBack(runs, usual, usual)).toBeLessThanOrEqual(1);
    const rare = { errors: 0, slow: 0.001 };
    expect(sentBack(runs, rare, rare)).toBeLessThanOrEqual(1);
  });

  test("and of those exactly on the fail lines at most alpha", { timeout: 600_000 }, () => {
    const live = { errors: 0.01, slow: 0.02 };
    const onLines = { errors: 1.25 * live.errors + 0.001, slow: 1.25 * live.slow + 0.005 };
    expect(sentBack(runs, live, onLines)).toBeLessThanOrEqual(0.05 * runs);
  });

  test.each<[string, Rates]>([
    ["errors 0.5 to 8 %", { errors: 0.08, slow: 0.02 }],
    ["three times as slow", { errors: 0.005, slow: 0.4 }],
  ])("finds %s", { timeout: 600_000 }, (_what, fresh) => {
    const random = randomOf(7);
    const found = Array.from({ length: 50 }, () => ends({ errors: 0.005, slow: 0.02 }, fresh, random));
    expect(found.filter(({ isBack }) => isBack).length).toBe(50);
  });
});
