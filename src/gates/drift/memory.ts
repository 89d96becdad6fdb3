import { z } from "zod";
import type { AlikeMemory, DriftMemory as Evidence } from "../../core/statistics/drift.ts";
import { type LiveCare, liveCare, unknownLive } from "../live-care.ts";
import { driftShare, passShare, shaped } from "../live-memory.ts";
import { type Bins, binsShape, type PredictionKind, predictionKinds } from "./bins.ts";

/** How far the predictions were apart after so many. */
export interface DriftPoint {
  readonly at: number;
  readonly stability: number;
  readonly distance: number;
}

export interface DriftMemory {
  /** Digest of the file: of another one the bins begin anew, with the evidence against the release that there is. */
  readonly cases: string;
  /** How many of the draw were asked. */
  readonly next: number;
  /** By live's first prediction, or as somebody said. */
  readonly kind?: PredictionKind | undefined;
  /** Live's first predictions, until the bins are fixed: names, or sizes; of embeddings first their sum. */
  readonly first: readonly (string | number)[];
  readonly sum: readonly number[];
  readonly summed: number;
  readonly bins?: Bins | undefined;
  /** Predictions by bin. */
  readonly counts: { readonly new: readonly number[]; readonly live: readonly number[] };
  readonly drift?: Evidence | undefined;
  readonly alike: AlikeMemory;
  readonly history: readonly DriftPoint[];
  readonly asked: { readonly live: number; readonly release: number };
  /** Inputs that live takes for none, and what it said to one of them. */
  readonly refused: { readonly count: number; readonly why: string };
  readonly care: LiveCare;
  /** It has drifted, with this evidence: that stays so. */
  readonly found?: string | undefined;
}

const count = z.int().min(0);
const both = (each: z.ZodType) => z.object({ more: each, less: each });

export const remembered = shaped<DriftMemory>(
  z.object({
    cases: z.string(),
    next: count,
    kind: z.enum(predictionKinds).optional(),
    first: z.array(z.union([z.string(), z.number()])),
    sum: z.array(z.number()),
    summed: count,
    bins: binsShape.optional(),
    counts: z.object({ new: z.array(count), live: z.array(count) }),
    drift: z.object({ bins: z.array(both(driftShare)) }).optional(),
    alike: z.array(both(passShare)),
    history: z.array(z.object({ at: count, stability: z.number(), distance: z.number() })),
    asked: z.object({ live: count, release: count }),
    refused: z.object({ count, why: z.string() }),
    care: liveCare,
    found: z.string().optional(),
  }),
);

export const nothing: DriftMemory = {
  cases: "",
  next: 0,
  first: [],
  sum: [],
  summed: 0,
  counts: { new: [], live: [] },
  alike: [],
  history: [],
  asked: { live: 0, release: 0 },
  refused: { count: 0, why: "" },
  care: unknownLive,
};
