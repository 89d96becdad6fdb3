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

/** How a controller counts whose samples each say slot and status. */
interface Labelled {
  readonly controller: string;
  /** What the names of all its metrics begin with. */
  readonly prefix: string;
  /** The counter of requests, and the buckets of how long they took. */
  readonly requests: string;
  readonly latency: string;
  /** What the bounds of these buckets are in. @default seconds */
  readonly latencyIn?: "milliseconds";
  /** The label that has the HTTP status. */
  readonly status: string;
  /** Whose request a sample counts; `undefined`: it is not the model's. */
  readonly slotOf: (labels: Sample["labels"], model: CountedModel) => Slot | undefined;
}

/** Sums requests, errors of the server, and what took longer than the bound. */
export function countersBy({
  controller,
  prefix,
  requests,
  latency,
  latencyIn,
  status,
  slotOf,
}: Labelled): ControllerCounters {
  return {
    controller,
    metrics: [requests, latency],
    isOf: (samples) => samples.some(({ name }) => name.startsWith(prefix)),
    count(samples, model) {
      const of = (metric: string) =>
        samples.flatMap((sample) => {
          const slot = sample.name === metric ? slotOf(sample.labels, model) : undefined;
          return slot === undefined
            ? []
            : [{ ...sample, slot, bound: boundOf(sample) / (latencyIn === "milliseconds" ? 1000 : 1) }];
        });
      const [counts, buckets] = [of(requests), of(latency)];
      const bounds = [...new Set(buckets.map(({ bound }) => bound))]
        .filter(Number.isFinite)
        .toSorted((a, b) => a - b);
      const isCounted = model.latency !== undefined && bounds.includes(model.latency);
      const slots: Partial<Record<Slot, SlotCounters>> = {};
      for (const slot of new Set(counts.map((one) => one.slot))) {
        const own = counts.filter((one) => one.slot === slot);
        const within = (bound: number | undefined) =>
          sum(buckets.filter((one) => one.slot === slot && one.bound === bound));
        slots[slot] = {
          requests: sum(own),
          events: {
            errors: sum(own.filter(({ labels }) => /^5/.test(labels[status] ?? ""))),
            ...(isCounted ? { latency: within(Number.POSITIVE_INFINITY) - within(model.latency) } : {}),
          },
        };
      }
      return { slots, bounds };
    },
  };
}

/** In the unit of the buckets; NaN where the sample is no bucket. */
function boundOf({ labels }: Sample): number {
  return Number(labels.le?.replace("+Inf", "Infinity"));
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
