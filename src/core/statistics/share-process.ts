import { type Bets, betWeights, clampedLive, expectedRates } from "./bets.ts";
import { type Block, isComparing } from "./block.ts";
import type { Line } from "./lines.ts";
import { lnMixture } from "./logarithms.ts";
import { lnIncrement } from "./projection.ts";

/** How two shares are compared, at any number of looks. */
export interface ShareTest {
  readonly line: Line;
  readonly bets: Bets;
  /**
   * The most that one block may add to the evidence of a bet, as a logarithm. It can only make the process more careful: the mean of
   * min(S, C) is not above that of S. See `capOf`.
   * @default no limit
   */
  readonly cap?: number;
  /** A weight for each step at which a regression may begin, summing to 1. See `startWeights`. @default one start */
  readonly starts?: readonly number[];
}

/** What is remembered of a test, plain JSON: a killed command goes on with the same evidence and spends no alpha. */
export interface ShareMemory {
  /** What is known of live's rate, from earlier blocks alone. */
  readonly live: { readonly requests: number; readonly events: number };
  /** ln of the evidence of each bet, for each start. */
  readonly evidence: readonly (readonly number[])[];
}

/** A cap that holds a verdict back to the third block of a burst. `alpha` is the metric's own. */
export function capOf(alpha: number): number {
  return Math.log(1 / alpha) / 3;
}

/** Weights of the starts: 0.6 for the first step, the rest divided among the later ones. */
export function startWeights(steps: number): readonly number[] {
  if (steps <= 1) return [1];
  return Array.from({ length: steps }, (_, step) => (step === 0 ? 0.6 : 0.4 / (steps - 1)));
}

/** How much live's requests from before the first block may count. */
const mostBefore = 20_000;

/** Requests that the first guess of live's rate weighs. */
const priorRequests = 200;

/**
 * Nothing seen yet. `before`: live's requests and events while the release was verified; of more than 20,000 requests their rate counts as
 * if of so many.
 */
export function noShares(
  { line, bets, starts = [1] }: ShareTest,
  before: { readonly requests: number; readonly events: number } = { requests: 0, events: 0 },
): ShareMemory {
  const kept = before.requests > mostBefore ? mostBefore / before.requests : 1;
  const rate = line.margin > 0 ? line.margin : 0.01;
  const zeros = betWeights(bets).map(() => 0);
  return {
    live: {
      requests: priorRequests + kept * before.requests,
      events: priorRequests * rate + kept * before.events,
    },
    evidence: starts.map(() => zeros),
  };
}

/** The same test, begun anew, but for what is known of live's rate. */
export function begunAnew({ live, evidence }: ShareMemory): ShareMemory {
  return { live, evidence: evidence.map((bets) => bets.map(() => 0)) };
}

/**
 * What a block adds. `step`, from 0: bets of starts that are still to come are not touched. A block in which one slot had no requests
 * teaches live's rate and nothing else. Pure.
 */
export function withBlock(test: ShareTest, memory: ShareMemory, block: Block, step = 0): ShareMemory {
  const live = {
    requests: memory.live.requests + block.liveRequests,
    events: memory.live.events + block.liveEvents,
  };
  if (!isComparing(block)) return { live, evidence: memory.evidence };
  const rate = clampedLive(memory.live.events / memory.live.requests);
  const cap = test.cap ?? Number.POSITIVE_INFINITY;
  const increments = expectedRates(test.bets, test.line, rate).map((expected) =>
    Math.min(cap, lnIncrement(block, { new: expected, live: rate }, test.line)),
  );
  const evidence = memory.evidence.map((bets, start) =>
    start > step ? bets : bets.map((bet, index) => bet + (increments[index] ?? 0)),
  );
  return { live, evidence };
}

/**
 * ln E, the evidence of all bets and starts together. While the release is on the line's other side, the chance that E is ever at or above
 * 1/alpha is at most alpha (Ville).
 */
export function lnEvidence({ bets, starts = [1] }: ShareTest, { evidence }: ShareMemory): number {
  const weights = betWeights(bets);
  return lnMixture(
    starts,
    evidence.map((one) => lnMixture(weights, one)),
  );
}
