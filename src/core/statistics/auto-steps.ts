import { shortestBlockMs } from "./block.ts";
import type { Lines } from "./lines.ts";
import { requestsUntilFail } from "./power.ts";
import { capOf, startWeights } from "./share-process.ts";

/** A metric with live's rate of the last hour. */
export interface PlannedMetric {
  readonly live: number;
  readonly lines: Lines;
  /** Its own alpha. @default that of all */
  readonly alpha?: number;
}

export interface AutoStepsOptions {
  /** Least 10-minute mean of the last hour. */
  readonly requestsPerSecond: number;
  /** Of each metric. */
  readonly alpha: number;
  readonly metrics: readonly PlannedMetric[];
  /** Longest step. @default 20 */
  readonly minutes?: number;
  /** Most steps. @default 3 */
  readonly steps?: number;
  /** A step lasts at least as long. @default 0 */
  readonly longestRequestSeconds?: number;
}

export interface AutoStep {
  /** Of the new slot, 0 to 1. */
  readonly share: number;
  readonly seconds: number;
  /** How long it would take to see the bad line of every metric with 80 %. Longer than `seconds`: it will not be seen. */
  readonly neededSeconds: number;
}

/** Shares that steps have. */
const ladder = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5] as const;
const lastShare = 0.5;
const power = 0.8;
/** Plans are this much longer than the approximation says: checked by simulation. */
const reserve = 1.1;
const blockSeconds = shortestBlockMs / 1000;
const fewestBlocks = 6;

/** The rate of the new slot that is bad beside live's. */
export function badRate(live: number, { bad }: Lines): number {
  return Math.min(0.99, bad.ratio * live + bad.margin);
}

/** Seconds until the bad line of every metric is seen with 80 % at a share, in whole blocks. */
export function secondsToSee(
  share: number,
  startWeight: number,
  { requestsPerSecond, alpha, metrics, longestRequestSeconds = 0 }: AutoStepsOptions,
): number {
  const longest = metrics.map(({ live, lines, alpha: own = alpha }) => {
    const bad = badRate(live, lines);
    const capped = { cap: capOf(own), requestsPerBlock: requestsPerSecond * blockSeconds };
    const options = { alpha: own, startWeight, capped };
    return (
      (reserve * requestsUntilFail(power, { live, new: bad, share }, lines, options)) / requestsPerSecond
    );
  });
  const seconds = Math.max(fewestBlocks * blockSeconds, longestRequestSeconds, ...longest);
  return Math.ceil(seconds / blockSeconds) * blockSeconds;
}

/**
 * Shares and times of the steps by the traffic of the last hour, such that a release on the bad line of any metric is seen within each step with
 * 80 %. One step of 50 % where there is too little traffic for that: then `neededSeconds` says how long it would take.
 */
export function autoSteps(options: AutoStepsOptions): readonly AutoStep[] {
  const { minutes = 20, steps: most = 3 } = options;
  const limit = minutes * 60;
  const first = ladder.find((share) => secondsToSee(share, 0.6, options) <= limit);
  if (first === undefined) {
    return [{ share: lastShare, seconds: limit, neededSeconds: secondsToSee(lastShare, 1, options) }];
  }
  const wanted = Array.from({ length: most }, (_, index) =>
    most === 1 ? lastShare : first * (lastShare / first) ** (index / (most - 1)),
  );
  // A hair of room: 0.01 * 50 ** 1 may be 0.5000000000000001.
  const onLadder = wanted.map((share) => ladder.find((one) => one >= share * (1 - 1e-9)) ?? lastShare);
  const shares = [...new Set(onLadder)];
  const starts = startWeights(shares.length);
  return shares.map((share, index) => {
    const neededSeconds = secondsToSee(share, starts[index] ?? 1, options);
    return { share, seconds: Math.min(limit, neededSeconds), neededSeconds };
  });
}
