/**
 * Random numbers and streams of blocks for simulations, from seeds alone: a test sees the same stream on every machine.
 */
import type { Block } from "./block.ts";

/** Random numbers in [0, 1). */
export type Random = () => number;

/** Source: mulberry32, public domain. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many of n happen: the gaps between those that do are geometric; where that is slow, by the normal approximation. */
export function binomial(random: Random, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  const variance = n * p * (1 - p);
  if (variance > 40) {
    return Math.min(n, Math.max(0, Math.round(n * p + Math.sqrt(variance) * normal(random))));
  }
  const lnNone = Math.log1p(-p);
  let count = 0;
  for (let at = Math.floor(Math.log(1 - random()) / lnNone); at < n; ) {
    count++;
    at += 1 + Math.floor(Math.log(1 - random()) / lnNone);
  }
  return count;
}

/** Standard normal (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function exponential(random: Random): number {
  return -Math.log(1 - random());
}

/** Rates of one block: of the new slot, and of live. */
export interface Rates {
  readonly new: number;
  readonly live: number;
}

/** Rates block after block of 10 s; made anew for each run. */
export type Stream = (random: Random) => (block: number) => Rates;

export const blockSeconds = 10;

const share = (rate: number) => Math.min(0.99, Math.max(0, rate));

/** The same rates all the time. */
export function steady(rates: Rates): Stream {
  return () => () => rates;
}

/** A factor that wanders about 1: its logarithm is a stationary AR(1) process. */
function wandering(random: Random, memory: number, deviation: number): () => number {
  let state = deviation * normal(random);
  return () => {
    const factor = Math.exp(state);
    state = memory * state + Math.sqrt(1 - memory ** 2) * deviation * normal(random);
    return factor;
  };
}

/** Both slots' rates wander together; `newOf`: the new slot's at that of live. */
export function commonWandering(live: number, newOf: (live: number) => number): Stream {
  return (random) => {
    const factor = wandering(random, 0.95, 1);
    return () => {
      const now = share(live * factor());
      return { live: now, new: share(newOf(now)) };
    };
  };
}

/** Half of all requests fail in both slots, for 30 s about every 5 minutes. */
export function commonOutages(rates: Rates): Stream {
  return (random) => {
    const isOut = bursts(random, 300, 30);
    return (block) => {
      const part = isOut(block);
      return { new: mixed(rates.new, 0.5, part), live: mixed(rates.live, 0.5, part) };
    };
  };
}

const mixed = (rate: number, burst: number, part: number) => rate * (1 - part) + burst * part;

/** The part of each block that lies in a burst: one in so many seconds in the mean. */
function bursts(random: Random, everySeconds: number, lastSeconds: number): (block: number) => number {
  // One burst may have begun before the first block.
  let start = everySeconds * exponential(random) - lastSeconds;
  return (block) => {
    const from = block * blockSeconds;
    const to = from + blockSeconds;
    let part = 0;
    while (start < to) {
      part += Math.max(0, Math.min(to, start + lastSeconds) - Math.max(from, start)) / blockSeconds;
      if (start + lastSeconds > to) break;
      start += lastSeconds + everySeconds * exponential(random);
    }
    return Math.min(1, part);
  };
}

/** Bursts that begin with a block and last for whole ones. */
function blockwiseBursts(random: Random, everySeconds: number, lastSeconds: number): () => number {
  let left = 0;
  return () => {
    if (left === 0 && random() < blockSeconds / everySeconds) left = lastSeconds / blockSeconds;
    if (left === 0) return 0;
    left--;
    return 1;
  };
}

export interface Burst {
  readonly everySeconds: number;
  readonly lastSeconds: number;
  readonly rate: number;
  /** Whether they begin with a block, or at any moment. */
  readonly begins: "with-a-block" | "anywhere";
}

/** Each slot has bursts of its own, in which its rate is `rate`. */
export function ownBursts(rates: Rates, burst: Burst): Stream {
  const { everySeconds, lastSeconds, begins } = burst;
  const draw = begins === "anywhere" ? bursts : blockwiseBursts;
  return (random) => {
    const inNew = draw(random, everySeconds, lastSeconds);
    const inLive = draw(random, everySeconds, lastSeconds);
    return (block) => ({
      new: mixed(rates.new, burst.rate, inNew(block)),
      live: mixed(rates.live, burst.rate, inLive(block)),
    });
  };
}

/** Each slot's rate has a factor of its own in each block, exponential: coefficient of variation 1. */
export function ownFactors(rates: Rates): Stream {
  return (random) => () => ({
    new: share(rates.new * exponential(random)),
    live: share(rates.live * exponential(random)),
  });
}

/** Each slot's rate wanders by itself. */
export function ownWandering(rates: Rates): Stream {
  return (random) => {
    const ofNew = wandering(random, 0.8, 0.5);
    const ofLive = wandering(random, 0.8, 0.5);
    return () => ({ new: share(rates.new * ofNew()), live: share(rates.live * ofLive()) });
  };
}

/** Steps of a simulated rollout. */
export interface Schedule {
  readonly shares: readonly number[];
  readonly blocksPerStep: number;
  /** Of both slots in a block. */
  readonly requestsPerBlock: number;
}

/** 5, 25 and 50 % for 5 minutes each, 100 requests per second. */
export const schedule: Schedule = { shares: [0.05, 0.25, 0.5], blocksPerStep: 30, requestsPerBlock: 1000 };

/** A block of clients' requests: divided at random, with events at these rates. */
export function drawBlock(random: Random, requests: number, newShare: number, rates: Rates): Block {
  const newRequests = binomial(random, requests, newShare);
  const liveRequests = requests - newRequests;
  return {
    newRequests,
    newEvents: binomial(random, newRequests, rates.new),
    liveRequests,
    liveEvents: binomial(random, liveRequests, rates.live),
  };
}

/** The blocks of one run, with their steps. */
export function* blocksOf(
  random: Random,
  stream: Stream,
  { shares, blocksPerStep, requestsPerBlock }: Schedule,
): Generator<{ readonly block: Block; readonly step: number; readonly index: number }> {
  const ratesAt = stream(random);
  for (let index = 0; index < shares.length * blocksPerStep; index++) {
    const step = Math.floor(index / blocksPerStep);
    yield {
      block: drawBlock(random, requestsPerBlock, shares[step] ?? 0, ratesAt(index)),
      step,
      index,
    };
  }
}

/** The value below which this part of the others lie. Of none: NaN. */
export function quantileOf(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
