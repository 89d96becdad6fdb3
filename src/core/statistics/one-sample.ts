import { absoluteFailBets, absolutePassBets, type Bets, betWeights, expectedRates } from "./bets.ts";
import type { Line } from "./lines.ts";
import { lnMixture } from "./logarithms.ts";
import { lnIncrement } from "./projection.ts";

/**
 * The new slot against an absolute share, live left out: Wald's likelihood ratio, mixed over several rates. Valid where each request's
 * chance given the past is at most (`fail`) or at least (`pass`) the share. It sends back a good release where live itself misses the share:
 * only for a share that somebody states.
 */
export interface OneSampleTest {
  /** The share that is tolerated (fail), or bad (pass). */
  readonly share: number;
  readonly bets: Bets;
}

export function oneSampleFail(share: number, bad?: number): OneSampleTest {
  const design: Line | undefined = bad === undefined ? undefined : { ratio: 0, margin: bad };
  return { share, bets: design === undefined ? absoluteFailBets : { ...absoluteFailBets, design } };
}

export function oneSamplePass(bad: number): OneSampleTest {
  return { share: bad, bets: absolutePassBets };
}

/** Requests and events so far: all that there is to remember. */
export interface Counted {
  readonly requests: number;
  readonly events: number;
}

/** ln E after so many requests and events. Which block they came in makes no difference: the bets never change. */
export function lnOneSample({ share, bets }: OneSampleTest, { requests, events }: Counted): number {
  const line: Line = { ratio: 0, margin: share };
  const block = { newRequests: requests, newEvents: events, liveRequests: 0, liveEvents: 0 };
  const live = 0.5;
  return lnMixture(
    betWeights(bets),
    expectedRates(bets, line, live).map((expected) => lnIncrement(block, { new: expected, live }, line)),
  );
}
