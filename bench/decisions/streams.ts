import { lnTogether } from "../../src/core/statistics/alpha.ts";
import { failBets } from "../../src/core/statistics/bets.ts";
import { type Block, emptyBlock } from "../../src/core/statistics/block.ts";
import { errorLines } from "../../src/core/statistics/lines.ts";
import { divergencePerRequest } from "../../src/core/statistics/power.ts";
import {
  capOf,
  lnEvidence,
  noShares,
  type ShareTest,
  startWeights,
  withBlock,
} from "../../src/core/statistics/share-process.ts";
import {
  binomial,
  commonWandering,
  normal,
  type Random,
  type Rates,
  randomOf,
  type Stream,
  schedule,
  steady,
} from "../../src/core/statistics/simulation.fixture.ts";
import { lnNormalCdf } from "../../src/core/statistics/special-functions.ts";
import type { Minute, MinuteOfBoth, Rule } from "./peers.ts";

/** Latency, lognormal: the median in seconds, and the standard deviation of the logarithm. */
interface Latency {
  readonly median: number;
  readonly deviation: number;
}

/** What clients of both slots see. */
export interface Traffic {
  readonly name: string;
  readonly isGood: boolean;
  readonly requestsPerSecond: number;
  readonly errors: Stream;
  /** The rates of errors, where they are steady: for the bound. */
  readonly rates?: Rates;
  readonly newLatency?: Latency;
}

/** Median 120 ms, p95 322 ms. */
const usual: Latency = { median: 0.12, deviation: 0.6 };
/** The same median, p95 doubled. */
const longTail: Latency = { median: 0.12, deviation: Math.log(0.644 / 0.12) / 1.6448536269514722 };

export const traffics: readonly Traffic[] = [20, 100].flatMap((requestsPerSecond): readonly Traffic[] => {
  const at = (name: string) => `${requestsPerSecond}/s ${name}`;
  const same = (rate: number) => ({ live: rate, new: rate });
  const of = (name: string, rates: Rates, isGood: boolean): Traffic => ({
    name: at(name),
    isGood,
    requestsPerSecond,
    errors: steady(rates),
    rates,
  });
  return [
    of("equal, errors 0.5 %", same(0.005), true),
    of("equal, errors 1.2 %", same(0.012), true),
    {
      name: at("equal, errors wander together"),
      isGood: true,
      requestsPerSecond,
      errors: commonWandering(0.005, (live) => live),
    },
    of("better: errors 1.2 to 0.6 %", { live: 0.012, new: 0.006 }, true),
    of("errors 0.5 to 1.5 %", { live: 0.005, new: 0.015 }, false),
    of("errors 0.5 to 5 %", { live: 0.005, new: 0.05 }, false),
    { ...of("p95 doubled", same(0.005), false), newLatency: longTail },
  ];
});

/** Bounds of slow answers, seconds. */
const bounds = [0.5, 1] as const;

interface Seen {
  readonly minute: Minute;
  readonly slow: readonly [number, number];
}

function draw(random: Random, requests: number, rate: number, { median, deviation }: Latency): Seen {
  let latency = 0;
  let slower = 0;
  let slowest = 0;
  for (let index = 0; index < requests; index++) {
    const seconds = median * Math.exp(deviation * normal(random));
    latency += seconds;
    if (seconds > bounds[0]) slower++;
    if (seconds > bounds[1]) slowest++;
  }
  return { minute: { requests, errors: binomial(random, requests, rate), latency }, slow: [slower, slowest] };
}

/** One run of the 15 minutes, as the rules see it. */
interface Run {
  readonly minutes: readonly MinuteOfBoth[];
  /** Errors, over 500 ms, over 1 s, in blocks of 10 s. */
  readonly blocks: readonly (readonly [Block, Block, Block])[];
}

const blocksInMinute = 6;

function runOf({ requestsPerSecond, errors, newLatency = usual }: Traffic, seed: number): Run {
  const random = randomOf(seed);
  const ratesAt = errors(random);
  const minutes: MinuteOfBoth[] = [];
  const blocks: (readonly [Block, Block, Block])[] = [];
  let open = emptyMinute;
  for (let index = 0; index < schedule.shares.length * schedule.blocksPerStep; index++) {
    const share = schedule.shares[Math.floor(index / schedule.blocksPerStep)] ?? 0;
    const rates = ratesAt(index);
    const newRequests = binomial(random, requestsPerSecond * 10, share);
    const liveRequests = requestsPerSecond * 10 - newRequests;
    const now = draw(random, newRequests, rates.new, newLatency);
    const live = draw(random, liveRequests, rates.live, usual);
    const blockOf = (newEvents: number, liveEvents: number): Block => ({
      newEvents,
      newRequests,
      liveEvents,
      liveRequests,
    });
    blocks.push([
      blockOf(now.minute.errors, live.minute.errors),
      blockOf(now.slow[0], live.slow[0]),
      blockOf(now.slow[1], live.slow[1]),
    ]);
    open = { new: together(open.new, now.minute), live: together(open.live, live.minute) };
    if ((index + 1) % blocksInMinute !== 0) continue;
    minutes.push(open);
    open = emptyMinute;
  }
  return { minutes, blocks };
}

const none: Minute = { requests: 0, errors: 0, latency: 0 };
const emptyMinute: MinuteOfBoth = { new: none, live: none };

function together(a: Minute, b: Minute): Minute {
  return { requests: a.requests + b.requests, errors: a.errors + b.errors, latency: a.latency + b.latency };
}

const alpha = 0.05;
const metrics = 3;

const test: ShareTest = {
  line: errorLines.fail,
  bets: failBets(errorLines.bad),
  cap: capOf(alpha / metrics),
  starts: startWeights(schedule.shares.length),
};

/** Ours: the block, from 1, with which the release is sent back. */
function ours(blocks: Run["blocks"]): number | undefined {
  let memories = Array.from({ length: metrics }, () => noShares(test));
  for (const [index, block] of blocks.entries()) {
    const step = Math.floor(index / schedule.blocksPerStep);
    memories = memories.map((memory, metric) => withBlock(test, memory, block[metric] ?? emptyBlock, step));
    const evidence = memories.map((memory) => ({ weight: 1 / metrics, lnE: lnEvidence(test, memory) }));
    if (lnTogether(evidence) >= Math.log(1 / alpha)) return index + 1;
  }
  return undefined;
}

/** What a rule made of all runs of one stream. */
export interface Outcome {
  /** Part of the runs that it sent back. */
  readonly sentBack: number;
  /** Requests of both slots until then; `undefined`: never. */
  readonly medianRequests: number | undefined;
}

/** All rules on the same runs of a stream, in the order of `rules` and ours last. */
export function outcomesOf(traffic: Traffic, runs: number, rules: readonly Rule[]): readonly Outcome[] {
  const ends: number[][] = [...rules, undefined].map(() => []);
  for (let run = 0; run < runs; run++) {
    const { minutes, blocks } = runOf(traffic, 7_000_003 + run);
    for (const [index, rule] of rules.entries()) {
      const minute = rule(minutes);
      if (minute !== undefined) ends[index]?.push(minute * 60 * traffic.requestsPerSecond);
    }
    const block = ours(blocks);
    if (block !== undefined) ends.at(-1)?.push(block * 10 * traffic.requestsPerSecond);
  }
  return ends.map((requests) => {
    const sorted = requests.toSorted((a, b) => a - b);
    return { sentBack: requests.length / runs, medianRequests: sorted[Math.floor(sorted.length / 2)] };
  });
}

/** Chance that an answer takes longer than a bound. */
function slower({ median, deviation }: Latency, seconds: number): number {
  return Math.exp(lnNormalCdf(-Math.log(seconds / median) / deviation));
}

/**
 * Wald's bound along the schedule: requests of both slots after which any test of the metric's alpha and of power one can decide in the mean, by the
 * metric that is quickest. `undefined`: it lies beyond the schedule, or the stream has no rates.
 */
export function boundOf({ rates, newLatency = usual, requestsPerSecond }: Traffic): number | undefined {
  if (rates === undefined) return undefined;
  const all: readonly Rates[] = [
    rates,
    ...bounds.map((seconds) => ({ live: slower(usual, seconds), new: slower(newLatency, seconds) })),
  ];
  const onLine = ({ ratio, margin }: typeof errorLines.fail, live: number) => ratio * live + margin;
  const ends = all
    .filter((one) => one.new > onLine(errorLines.fail, one.live))
    .map((one) => {
      let missing = Math.log(metrics / alpha);
      let requests = 0;
      for (const share of schedule.shares) {
        const inStep = schedule.blocksPerStep * 10 * requestsPerSecond;
        const each = divergencePerRequest({ ...one, share }, errorLines.fail);
        if (missing <= each * inStep) return requests + missing / each;
        missing -= each * inStep;
        requests += inStep;
      }
      return Number.POSITIVE_INFINITY;
    });
  const least = Math.min(...ends, Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? least : undefined;
}
