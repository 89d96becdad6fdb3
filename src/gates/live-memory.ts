import { z } from "zod";
import { betWeights, failBets, passBets } from "../core/statistics/bets.ts";
import type { CountersMemory } from "../core/statistics/counters.ts";
import { errorLines } from "../core/statistics/lines.ts";
import type { LiveMemory } from "../core/statistics/live-analysis.ts";

/**
 * The shape of the evidence of live comparisons in a record. Whatever is not just that is lost: a number that is none would make every verdict
 * of the rollout wrong, and another version's bets are not these.
 */

const amount = z.number().min(0);
const block = z.object({ newEvents: amount, newRequests: amount, liveEvents: amount, liveRequests: amount });

function shares(bets: number) {
  return z.object({
    live: z.object({ requests: amount, events: amount }),
    evidence: z.array(z.array(z.number()).length(bets)).min(1),
  });
}

const metric = z.object({
  fail: shares(betWeights(failBets(errorLines.bad)).length),
  pass: shares(betWeights(passBets).length),
  inStep: block,
  inAll: block,
});

const live = z.object({
  step: z.number().int().min(0),
  stepMs: amount,
  seen: z.object({ newRequests: amount, requests: amount }),
  metrics: z.record(z.string(), metric),
  failed: z.array(z.string()).optional(),
});

export const liveMemory = z.custom<LiveMemory>((kept) => live.safeParse(kept).success);

const counted = z.object({ requests: z.number(), events: z.record(z.string(), z.number()) });
const reading = z.object({
  atMs: z.number(),
  new: counted.optional(),
  live: counted.optional(),
  own: z.object({ new: counted, live: counted }),
  share: z.number(),
  isDisturbed: z.boolean(),
});
const counters = z.object({
  since: reading.optional(),
  last: reading.optional(),
  isDisturbed: z.boolean(),
});

export const countersMemory = z.custom<CountersMemory>((kept) => counters.safeParse(kept).success);
