import { describe, expect, test } from "vitest";
import { subject } from "../calls/calls.fixture.ts";
import { resolveGates } from "../config/rollout/default-gates.ts";
import { type CountedSlot, nothingCounted, nothingSent } from "../core/statistics/counted.ts";
import { binomial, type Random, randomOf } from "../core/statistics/simulation.fixture.ts";
import type { GoldenCase } from "./cases/case.ts";
import type { Gate } from "./kinds.ts";
import { unknownLive } from "./live-care.ts";
import type { ParitySample } from "./parity/ask.ts";
import { judgeParity } from "./parity/judge.ts";
import { nothing as noPairs, type ParityMemory } from "./parity/memory.ts";
import { judgePerformance, type PerformanceMemory } from "./performance.ts";
import { judgeTraffic, nothingSeen, type TrafficMemory } from "./traffic-judge.ts";

/** All gates that judge by statistics, together in one release, as a configuration has them: how often is one sent back by any of them. */

const asking = { cases: "cases.jsonl", path: "/v2/models/fraud/infer" } as const;
const alpha = 0.05;
const gates = resolveGates({
  steps: "5%:5m, 25%:5m, 50%:5m",
  alpha,
  gates: [
    { name: "parity", parity: { ...asking, compare: "label" } },
    { name: "labels", labels: asking },
    { name: "speed", performance: asking },
  ],
});
const of = <K extends Gate["kind"]>(kind: K) =>
  gates.find((gate): gate is Extract<Gate, { kind: K }> => gate.kind === kind);

/** What a release is like: chances of an event, from live's. `pairs`: for and against it. */
interface Kind {
  readonly errors: (live: number) => number;
  readonly slow: (live: number) => number;
  readonly parity: { readonly against: number; readonly for: number };
  readonly labels: { readonly against: number; readonly for: number };
}

const equal: Kind = {
  errors: (live) => live,
  slow: (live) => live,
  parity: { against: 0.02, for: 0.02 },
  labels: { against: 0.01, for: 0.01 },
};
/** As bad as is tolerated, in everything at once. */
const onTheLine: Kind = {
  errors: (live) => 1.25 * live + 0.001,
  slow: (live) => 1.25 * live + 0.005,
  parity: { against: 0.03, for: 0.02 },
  labels: { against: 0.015, for: 0.01 },
};

const draw = {
  inputs: Array.from({ length: 1000 }, (_, index) => ({ index, segment: undefined, byTraffic: true })),
  judged: [],
  tooSmall: [],
};
const cases = draw.inputs.map(
  ({ index }): GoldenCase => ({ id: `${index}`, line: index, input: index, expected: 1 }),
);

const perLook = 100;

/** Pairs of one look. */
function pairsOf(random: Random, from: number, count: number, chance: Kind["parity"]): ParitySample {
  const value = { kind: "value", value: 1 } as const;
  const pair = { live: value, again: value, release: value };
  return {
    kind: "pairs",
    ...{ digest: "same", draw, cases, care: unknownLive, strain: undefined },
    requests: { live: count, release: count },
    asked: Array.from({ length: count }, (_, index) => {
      const drawn = random();
      const score = drawn < chance.against ? 1 : drawn < chance.against + chance.for ? -1 : 0;
      const why = score === 0 ? undefined : "another";
      return { kind: "pair", place: from + index, pair, scored: { score, why, size: 0 } };
    }),
  };
}

function fails(random: Random, kind: Kind, name: "parity" | "labels"): boolean {
  const gate = of(name);
  if (gate === undefined) throw new Error("There is no such gate.");
  let memory: ParityMemory = noPairs;
  for (let from = 0; from < draw.inputs.length; from += perLook) {
    const judged = judgeParity(memory, pairsOf(random, from, perLook, kind[name]), gate);
    memory = judged.memory;
    if (judged.verdict.verdict !== "hold") return judged.verdict.verdict === "fail";
  }
  return false;
}

/** A long tail, by the part that takes longer. */
const msOf = (longer: number) => 20 * Math.max(1e-9, longer) ** -0.3;

function isSlow(random: Random, kind: Kind): boolean {
  const gate = of("performance");
  if (gate === undefined) throw new Error("There is no such gate.");
  // The part of the release's that takes longer is that of live by its line: solved for live's.
  const margin = kind.slow(0);
  const ratio = kind.slow(0.5) / 0.5 - margin / 0.5;
  let memory: PerformanceMemory = { first: [], bounds: [], live: undefined, elapsedMs: 0, sent: 0 };
  for (let block = 0; block < 30; block++) {
    const times = Array.from({ length: 50 }, () => ({
      live: msOf(random()),
      release: msOf((random() - margin) / ratio),
    }));
    const sample = {
      kind: "timed",
      times,
      durationMs: 10_000,
      care: unknownLive,
      strain: undefined,
    } as const;
    const judged = judgePerformance(memory, sample, gate);
    memory = judged.memory;
    if (judged.verdict.verdict !== "hold") return judged.verdict.verdict === "fail";
  }
  return false;
}

const bounds = [0.1, 0.3, 1.2, Number.POSITIVE_INFINITY];
/** Live's parts that take longer than each bound; a median under the first. */
const longer = [0.3, 0.04, 0.004, 0];
const errors = 0.005;

function added(slot: CountedSlot, random: Random, requests: number, rates: Kind | "live"): CountedSlot {
  const slow = (part: number) => (rates === "live" ? part : part === 0 ? 0 : rates.slow(part));
  // Who takes longer than one bound is among those that take longer than the one before.
  let over = requests;
  let before = 1;
  const counts = longer.map((part, index) => {
    over = binomial(random, over, slow(part) / before);
    before = slow(part) || 1;
    return (slot.latencies.counts[index] ?? 0) + requests - over;
  });
  const failed = binomial(random, requests, rates === "live" ? errors : rates.errors(errors));
  return { requests: slot.requests + requests, errors: slot.errors + failed, latencies: { bounds, counts } };
}

function isWorse(random: Random, kind: Kind): boolean {
  const gate = of("traffic");
  if (gate === undefined) throw new Error("There is no such gate.");
  let memory: TrafficMemory = nothingSeen;
  let blue = added(nothingCounted, random, 20_000, "live");
  let green = nothingCounted;
  for (const [stepIndex, weight] of [5, 25, 50].entries()) {
    const split = { blue: 100 - weight, green: weight };
    for (let block = 0; block <= 30; block++) {
      const own = { blue: nothingSent, green: nothingSent };
      const judged = judgeTraffic(
        memory,
        {
          kind: "read",
          ...{ atMs: (31 * stepIndex + block) * 10_000, controller: "Traefik", where: "here" },
          ...{ slots: { blue, green }, own, era: "one", isDisturbed: false, isShareChecked: true },
          ...{ longestRequestMs: 30_000, steps: 3 },
        },
        gate,
        { ...subject, slot: "green", stepIndex, split },
      );
      memory = judged.memory;
      if (judged.verdict.verdict === "fail") return true;
      const fresh = binomial(random, 1000, weight / 100);
      blue = added(blue, random, 1000 - fresh, "live");
      green = added(green, random, fresh, kind);
    }
  }
  return false;
}

/** Which gates send back releases of a kind: of so many, by how many. */
function sentBack(kind: Kind, releases: number, seed: number) {
  const by = { parity: 0, labels: 0, performance: 0, traffic: 0 };
  let any = 0;
  for (let release = 0; release < releases; release++) {
    const random = randomOf(seed + release);
    const failed = [
      ["parity", fails(random, kind, "parity")],
      ["labels", fails(random, kind, "labels")],
      ["performance", isSlow(random, kind)],
      ["traffic", isWorse(random, kind)],
    ] as const;
    for (const [gate, isFailed] of failed) by[gate] += isFailed ? 1 : 0;
    any += failed.some(([, isFailed]) => isFailed) ? 1 : 0;
  }
  return { any, by };
}

const isLong = process.env.MODELSWITCH_TEST_SOAK === "1";
const releases = isLong ? 2000 : 24;

describe("all gates of a release together", { timeout: isLong ? 3_600_000 : 120_000 }, () => {
  test("have one alpha", () => {
    const parts = gates.flatMap((gate) => ("alpha" in gate ? [gate.alpha] : []));
    expect(parts).toEqual([alpha / 4, alpha / 4, alpha / 4, alpha / 4]);
  });

  test("send an equal release back hardly ever", () => {
    expect(sentBack(equal, releases, 1).any).toBeLessThanOrEqual(releases / 500);
  });

  test("send one that is just tolerated, in everything at once, back with at most alpha", () => {
    const { any } = sentBack(onTheLine, releases, 100_000);
    expect(any).toBeLessThanOrEqual(alpha * releases + 2 * Math.sqrt(alpha * (1 - alpha) * releases));
  });

  test("send one that is bad in one thing back, by the gate that sees it", () => {
    const few = isLong ? 200 : 3;
    const bad = (more: Partial<Kind>, seed: number) => sentBack({ ...equal, ...more }, few, seed).by;
    expect(bad({ errors: (live) => 10 * live }, 1).traffic).toBe(few);
    expect(bad({ slow: (live) => Math.min(1, 3 * live + 0.1) }, 2).performance).toBe(few);
    expect(bad({ parity: { against: 0.2, for: 0.02 } }, 3).parity).toBe(few);
    expect(bad({ labels: { against: 0.2, for: 0.01 } }, 4).labels).toBe(few);
  });
});
