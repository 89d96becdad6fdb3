import { z } from "zod";
import { noPairs } from "../../core/statistics/pairs.ts";
import { type LiveCare, liveCare, unknownLive } from "../live-care.ts";
import { nothingTold, told } from "./told.ts";

const count = z.number().int().min(0);

const pairCounts = z.object({ pairs: count, newOnly: count, liveOnly: count });

/** One pair that is shown: masked and cut before it is kept. */
const example = z.object({
  id: z.string(),
  segment: z.string().optional(),
  input: z.string(),
  live: z.string(),
  release: z.string(),
  why: z.string(),
  size: z.number(),
});
export type Example = z.infer<typeof example>;

export const remembered = z.object({
  /** Digest of the file: another one is drawn from anew, with the evidence that there is. */
  cases: z.string(),
  /** How many of the draw were asked. */
  next: count,
  /** Places in the draw that nobody could answer yet. */
  again: z.array(count),
  /** The undivided comparison, and how many of its answers differ at all. */
  all: pairCounts,
  differing: count,
  segments: z.record(z.string(), pairCounts),
  /** Requests that were sent. */
  asked: z.object({ live: count, release: count }),
  /** Inputs that live takes for none, and what it said to one of them. */
  refused: z.object({ count, why: z.string() }),
  /** Pairs to which live gave no answer at first. */
  liveBroken: z.object({ count, why: z.string() }),
  /** What streams and answers of language models tell. */
  told: z.object({ live: told, release: told }),
  examples: z.array(example),
  care: liveCare,
  /** It has failed, with this evidence: that stays so. */
  failed: z.string().optional(),
});
export type ParityMemory = z.infer<typeof remembered>;

const care: LiveCare = unknownLive;

export const nothing: ParityMemory = {
  cases: "",
  next: 0,
  again: [],
  all: { ...noPairs },
  differing: 0,
  segments: {},
  asked: { live: 0, release: 0 },
  refused: { count: 0, why: "" },
  liveBroken: { count: 0, why: "" },
  told: { live: nothingTold, release: nothingTold },
  examples: [],
  care,
};
