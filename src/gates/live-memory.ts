import { z } from "zod";
import { type Bets, betWeights, driftBets, failBets, passBets } from "../core/statistics/bets.ts";
import type { CountersMemory } from "../core/statistics/counters.ts";
import { errorLines } from "../core/statistics/lines.ts";
import type { LiveMemory } from "../core/statistics/live-analysis.ts";
import type { ShareMemory } from "../core/statistics/share-process.ts";

/** What a record may hold of the comparison of two shares: what another version bet on is no evidence for the bets of this one. */

/**
 * A memory of this shape, as it is: where keys may be undefined in the type, JSON leaves them out.
 */
export function shaped<Memory>(shape: z.ZodType): z.ZodType<Memory> {
  return z.custom<Memory>((kept) => shape.safeParse(kept).success);
}

const count = z.number().min(0);

/** Of one test, each start with a number for each of its bets. */
function shareMemory(bets: Bets): z.ZodType<ShareMemory> {
  const each = betWeights(bets).length;
  return z.object({
    live: z.object({ requests: count, events: count }),
    evidence: z.array(z.array(z.number()).length(each)).min(1),
  });
}

export const driftShare = shareMemory(driftBets);
export const passShare = shareMemory(passBets);

const block = z.object({
  newEvents: count,
  newRequests: count,
  liveEvents: count,
  liveRequests: count,
});

export const liveMemory = shaped<LiveMemory>(
  z.object({
    step: z.int().min(0),
    stepMs: count,
    seen: z.object({ newRequests: count, requests: count }),
    metrics: z.record(
      z.string(),
      z.object({
        fail: shareMemory(failBets(errorLines.bad)),
        pass: passShare,
        inStep: block,
        inAll: block,
      }),
    ),
    failed: z.array(z.string()).optional(),
  }),
);

const counted = z.object({ requests: z.number(), events: z.record(z.string(), z.number()) });
const reading = z.object({
  atMs: z.number(),
  new: counted.optional(),
  live: counted.optional(),
  own: z.object({ new: counted, live: counted }),
  share: z.number(),
  isDisturbed: z.boolean(),
});

export const countersMemory = shaped<CountersMemory>(
  z.object({ since: reading.optional(), last: reading.optional(), isDisturbed: z.boolean() }),
);
