import type { Sample } from "../../../core/exposition.ts";
import type { Routing } from "../../../core/routing.ts";
import type { Slot } from "../../../core/slots.ts";
import type { SlotCounters } from "../../../core/statistics/counters.ts";

/** The model whose requests are looked for among those that a controller counts. */
export interface CountedModel {
  readonly namespace: string;
  /** Name of the main routing object. */
  readonly main: string;
  readonly services: Readonly<Record<Slot, string>>;
  /** Port of the slots' Services. */
  readonly servicePort: number;
  /** The one in force: which series is which slot's follows from it. */
  readonly routing: Routing;
  /** An answer that takes longer is an event of `latency`, seconds. @default latency is not counted */
  readonly latency?: number | undefined;
}

/** What one replica of a controller has counted of a model since it started. */
export interface Counted {
  /** A slot that has had no request yet is missing. */
  readonly slots: Partial<Record<Slot, SlotCounters>>;
  /** Bounds that latencies are counted by, seconds, ascending; a latency between two of them can't be told. */
  readonly bounds: readonly number[];
}

/** How one ingress controller counts. A router names those that read its objects. */
export interface ControllerCounters {
  /** As people know it. */
  readonly controller: string;
  /** The metrics that are read. */
  readonly metrics: readonly string[];
  /** Whether these metrics are of this controller. Pure. */
  isOf(samples: readonly Sample[]): boolean;
  /** Pure. */
  count(samples: readonly Sample[], model: CountedModel): Counted;
}

/** One sample, and whose request it counts. */
export interface Attributed {
  readonly sample: Sample;
  readonly slot: Slot;
}

/** Sums requests, errors of the server, and what took longer than the bound. Pure. */
export function summed(
  counts: readonly Attributed[],
  buckets: readonly Attributed[],
  isError: (sample: Sample) => boolean,
  latency: number | undefined,
): Counted {
  const bounds = [
    ...new Set(buckets.map(({ sample }) => Number(sample.labels.le?.replace("+Inf", "Infinity")))),
  ]
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  const isCounted = latency !== undefined && bounds.includes(latency);
  const slots: Partial<Record<Slot, SlotCounters>> = {};
  for (const slot of new Set(counts.map((one) => one.slot))) {
    const own = counts.filter((one) => one.slot === slot).map(({ sample }) => sample);
    const within = (bound: number) =>
      sum(
        buckets
          .filter((one) => one.slot === slot)
          .map(({ sample }) => sample)
          .filter(({ labels }) => Number(labels.le?.replace("+Inf", "Infinity")) === bound),
      );
    slots[slot] = {
      requests: sum(own),
      events: {
        errors: sum(own.filter(isError)),
        ...(isCounted ? { latency: within(Number.POSITIVE_INFINITY) - within(latency) } : {}),
      },
    };
  }
  return { slots, bounds };
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
