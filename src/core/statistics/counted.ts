import type { Slot } from "../slots.ts";
import type { SlotCounters } from "./counters.ts";
import { type Histogram, slowerThan, summed } from "./exceedance.ts";

/** What was counted of one slot since the counters began. */
export interface CountedSlot {
  readonly requests: number;
  /** Answers of 5xx. */
  readonly errors: number;
  /** How long answers took, seconds, cumulative; without bounds: not counted, or no request yet. */
  readonly latencies: Histogram;
}

/** What one replica has counted of a model since it started. A slot that has had no request yet is missing. */
export type Counted = Partial<Readonly<Record<Slot, CountedSlot>>>;

/** A slot of which nobody has counted anything: its series appear with the first request. */
export const nothingCounted: CountedSlot = {
  requests: 0,
  errors: 0,
  latencies: { bounds: [], counts: [] },
};

/** The sums of all replicas. Pure. */
export function countedTogether(replicas: readonly Counted[], slot: Slot): CountedSlot {
  const own = replicas.flatMap((one) => one[slot] ?? []);
  return {
    requests: own.reduce((sum, { requests }) => sum + requests, 0),
    errors: own.reduce((sum, { errors }) => sum + errors, 0),
    latencies: summed(own.map(({ latencies }) => latencies)),
  };
}

/** The metric of answers that took longer than a bound, seconds. */
export const slowMetric = (seconds: number) => `over ${seconds} s`;

/** The same as events by metric, for the bounds that were fixed. A bound between two buckets can't be told, and is missing. Pure. */
export function eventsOf(slot: CountedSlot, bounds: readonly number[]): SlotCounters {
  const slow = bounds.flatMap((bound): [string, number][] => {
    // Without any request there is no bucket yet.
    const over = slot.requests === 0 ? 0 : slowerThan(slot.latencies, bound);
    return over === undefined ? [] : [[slowMetric(bound), over]];
  });
  return { requests: slot.requests, events: { errors: slot.errors, ...Object.fromEntries(slow) } };
}

/** What the product itself has sent to a slot by now. */
export interface OwnSent {
  readonly requests: number;
  readonly errors: number;
  /** How long each answer took, seconds, as it was seen here. */
  readonly seconds: readonly number[];
}

export const nothingSent: OwnSent = { requests: 0, errors: 0, seconds: [] };

/** Own requests as events by metric. Pure. */
export function ownEvents({ requests, errors, seconds }: OwnSent, bounds: readonly number[]): SlotCounters {
  const slow = bounds.map((bound): [string, number] => [
    slowMetric(bound),
    seconds.filter((one) => one > bound).length,
  ]);
  return { requests, events: { errors, ...Object.fromEntries(slow) } };
}
