import { type Bets, betWeights, expectedRates, failBets, passBets } from "./bets.ts";
import type { Line, Lines } from "./lines.ts";
import { divergence } from "./logarithms.ts";
import { projectedLive } from "./projection.ts";
import { lnNormalCdf, normalCdf, normalDensity } from "./special-functions.ts";

/** What is to be seen, of which traffic. */
export interface Sight {
  /** Rate of live's events, and the new slot's. */
  readonly live: number;
  readonly new: number;
  /** The new slot's share of the requests, 0 to 1. */
  readonly share: number;
}

/**
 * Fewest requests, of both slots in the mean, after which any test of this level and of power one can decide: ln(1/alpha) over the least
 * divergence from the line. Source: Wald, Sequential Analysis, 1947. `alpha`: beta for a pass, of which `line` is the bad one.
 */
export function waldBound(sight: Sight, line: Line, alpha: number): number {
  return Math.log(1 / alpha) / divergencePerRequest(sight, line);
}

/** The least divergence from the line, nats per request of both slots. */
export function divergencePerRequest({ live, new: rate, share }: Sight, line: Line): number {
  const weights = { newRequests: share, liveRequests: 1 - share };
  const nearest = projectedLive(weights, { new: rate, live }, line);
  return (
    share * divergence(rate, line.ratio * nearest + line.margin) + (1 - share) * divergence(live, nearest)
  );
}

/** A random walk in time: its mean and variance per request. */
interface Walk {
  readonly growth: number;
  readonly variance: number;
}

/** How ln S of one bet grows with each request of both slots. */
function walkOf({ live, new: rate, share }: Sight, expected: number, line: Line): Walk {
  const weights = { newRequests: share, liveRequests: 1 - share };
  const nearest = projectedLive(weights, { new: expected, live }, line);
  const onLine = line.ratio * nearest + line.margin;
  const newEvent = Math.log(expected / onLine);
  const newNone = Math.log1p(-expected) - Math.log1p(-onLine);
  const liveEvent = Math.log(live / nearest);
  const liveNone = Math.log1p(-live) - Math.log1p(-nearest);
  return {
    growth:
      share * (rate * newEvent + (1 - rate) * newNone) +
      (1 - share) * (live * liveEvent + (1 - live) * liveNone),
    variance:
      share * rate * (1 - rate) * (newEvent - newNone) ** 2 +
      (1 - share) * live * (1 - live) * (liveEvent - liveNone) ** 2,
  };
}

/**
 * The growth that is left where no block adds more than the cap: the mean of min(S, C) of a normal S. Source: the normal's partial expectation.
 */
function cappedGrowth({ growth, variance }: Walk, cap: number, block: number): number {
  const u = (cap - growth * block) / Math.sqrt(variance * block);
  return growth - Math.sqrt(variance / block) * (normalDensity(u) - u * normalCdf(-u));
}

/**
 * The variance that is left where no block adds more than the cap: that of min(S, C) of a normal S. Source: the normal's partial moments.
 */
function cappedVariance({ growth, variance }: Walk, cap: number, block: number): number {
  const u = (cap - growth * block) / Math.sqrt(variance * block);
  const density = normalDensity(u);
  const over = normalCdf(-u);
  const mean = u * over - density;
  return variance * Math.max(0, normalCdf(u) - u * density + u ** 2 * over - mean ** 2);
}

/** Chance that a walk has reached the barrier by the time T. Source: the inverse Gaussian distribution of first passages. */
function reachedBy(time: number, { growth, variance }: Walk, barrier: number): number {
  const mean = barrier / growth;
  const shape = barrier ** 2 / variance;
  const root = Math.sqrt(shape / time);
  return (
    normalCdf(root * (time / mean - 1)) +
    Math.exp((2 * shape) / mean + lnNormalCdf(-root * (time / mean + 1)))
  );
}

/** The time by which a walk with this growth (above 0) and variance has reached the barrier, with a probability. */
export function firstPassage(
  probability: number,
  walk: { readonly growth: number; readonly variance: number },
  barrier: number,
): number {
  const mean = barrier / walk.growth;
  // A walk without variance is there at the mean.
  if (walk.variance === 0) return mean;
  let low = Math.log(mean) - 40;
  let high = Math.log(mean) + 40;
  for (let round = 0; round < 100; round++) {
    const middle = 0.5 * (low + high);
    if (reachedBy(Math.exp(middle), walk, barrier) < probability) low = middle;
    else high = middle;
  }
  return Math.exp(0.5 * (low + high));
}

/** What a plan asks of a test. */
export interface PowerOptions {
  /** The metric's own; beta for a pass. */
  readonly alpha: number;
  /** Weight of the start that has to see it (`startWeights`). @default 0.6 for a fail, 1 for a pass */
  readonly startWeight?: number;
  /** Requests of both slots in a block, and the cap that holds within it. @default no cap */
  readonly capped?: {
    readonly cap: number;
    readonly requestsPerBlock: number;
    /**
     * `capped`: how much it varies is cut as well as how much it grows. Where the cap binds in most blocks, the uncapped one says several times too
     * many requests for high probabilities; plans by 80 % are checked with it.
     * @default uncapped
     */
    readonly variance?: "uncapped" | "capped";
  };
}

/** Requests of both slots until a fail, with a probability; infinity: the test does not see it. */
export function requestsUntilFail(
  probability: number,
  sight: Sight,
  lines: Lines,
  options: PowerOptions,
): number {
  return requestsUntil(probability, sight, lines.fail, failBets(lines.bad), {
    startWeight: 0.6,
    ...options,
  });
}

/** The same until a pass: evidence that the new slot is under the bad line. */
export function requestsUntilPass(probability: number, sight: Sight, lines: Lines, beta: number): number {
  return requestsUntil(probability, sight, lines.bad, passBets, { alpha: beta, startWeight: 1 });
}

function requestsUntil(
  probability: number,
  sight: Sight,
  line: Line,
  bets: Bets,
  { alpha, startWeight = 1, capped }: PowerOptions,
): number {
  const weights = betWeights(bets);
  const times = expectedRates(bets, line, sight.live).flatMap((expected, index) => {
    const walk = walkOf(sight, expected, line);
    const growth =
      capped === undefined ? walk.growth : cappedGrowth(walk, capped.cap, capped.requestsPerBlock);
    if (growth <= 0) return [];
    const variance =
      capped?.variance === "capped"
        ? cappedVariance(walk, capped.cap, capped.requestsPerBlock)
        : walk.variance;
    const barrier = Math.log(1 / alpha) + Math.log(1 / startWeight) + Math.log(1 / (weights[index] ?? 1));
    return [firstPassage(probability, { growth, variance }, barrier)];
  });
  return Math.min(Number.POSITIVE_INFINITY, ...times);
}
