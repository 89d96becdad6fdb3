import type { Sample } from "../../../core/exposition.ts";
import type { ObjectNames } from "../../../core/names.ts";
import type { Routing } from "../../../core/routing.ts";
import { type Slot, slots } from "../../../core/slots.ts";
import type { Counted } from "../../../core/statistics/counted.ts";
import type { Histogram } from "../../../core/statistics/exceedance.ts";

/** The model whose requests are looked for among those that a controller counts. */
export interface CountedModel {
  readonly namespace: string;
  /** Name of the main routing object. */
  readonly main: string;
  readonly services: Readonly<Record<Slot, string>>;
  /** Of all the model's objects. @default those that derive from `main` */
  readonly names?: ObjectNames;
  /** Port of the slots' Services. */
  readonly servicePort: number;
  /** The one in force: which series is which slot's follows from it. */
  readonly routing: Routing;
}

/** Where a controller's pods are found, as it is installed as a rule. */
export interface UsualPods {
  /** Their labels. */
  readonly selector: string;
  /** Namespaces that are looked into where those of the whole cluster may not be listed. */
  readonly namespaces: readonly string[];
  /** Port of the metrics, where neither the pod's annotations nor its ports name one. */
  readonly port: number;
}

/** How one ingress controller counts. A router names those that read its objects. */
export interface ControllerCounters {
  /** As people know it. */
  readonly controller: string;
  /** The metrics that are read. */
  readonly metrics: readonly string[];
  /** The metric that says when its process began: with another one all counters began anew. @default process_start_time_seconds */
  readonly started?: string | undefined;
  /** Labels that say something by being empty: a Prometheus keeps no such labels. @default none */
  readonly empty?: readonly string[] | undefined;
  readonly pods: UsualPods;
  /** Whether these metrics are of this controller. Pure. */
  isOf(samples: readonly Sample[]): boolean;
  /** What Prometheus is asked for: the label, and the expression that the model's series match. Pure. */
  matching(model: CountedModel): { readonly label: string; readonly expression: string };
  /** Pure. */
  count(samples: readonly Sample[], model: CountedModel): Counted;
}

/** How a controller counts whose samples each say slot and status. */
interface Labelled {
  readonly controller: string;
  /** What the names of all its metrics begin with. */
  readonly prefix: string;
  /** One that it shows before it has had any request. */
  readonly always: string;
  readonly pods: UsualPods;
  /** The counter of requests, and the buckets of how long they took, where it has any. */
  readonly requests: string;
  readonly latency: string | undefined;
  readonly started?: string;
  readonly empty?: readonly string[];
  /** What the bounds of these buckets are in. @default seconds */
  readonly latencyIn?: "milliseconds";
  /** The label that has the HTTP status. */
  readonly status: string;
  readonly matching: ControllerCounters["matching"];
  /** Whose request a sample counts; `undefined`: it is not the model's. */
  readonly slotOf: (labels: Sample["labels"], model: CountedModel) => Slot | undefined;
}

/** Sums requests, errors of the server, and how long answers took. */
export function countersBy({
  controller,
  prefix,
  always,
  pods,
  requests,
  latency,
  latencyIn,
  status,
  started,
  empty,
  matching,
  slotOf,
}: Labelled): ControllerCounters {
  return {
    controller,
    metrics: [requests, ...(latency === undefined ? [] : [latency]), always],
    started,
    empty,
    pods,
    isOf: (samples) => samples.some(({ name }) => name.startsWith(prefix)),
    matching,
    count(samples, model) {
      const of = (metric: string | undefined) =>
        samples.flatMap((sample) => {
          const slot = sample.name === metric ? slotOf(sample.labels, model) : undefined;
          return slot === undefined ? [] : [{ ...sample, slot }];
        });
      const [counts, buckets] = [of(requests), of(latency)];
      const found = slots.filter((slot) => counts.some((one) => one.slot === slot));
      return Object.fromEntries(
        found.map((slot) => {
          const own = counts.filter((one) => one.slot === slot);
          return [
            slot,
            {
              requests: sum(own),
              errors: sum(own.filter(({ labels }) => /^5/.test(labels[status] ?? ""))),
              latencies: histogramOf(
                buckets.filter((one) => one.slot === slot),
                latencyIn === "milliseconds" ? 1000 : 1,
              ),
            },
          ];
        }),
      );
    },
  };
}

/** The buckets of several series as one histogram; `perSecond`: how many of their unit a second has. Pure. */
export function histogramOf(buckets: readonly Sample[], perSecond = 1): Histogram {
  const bounds = [...new Set(buckets.map(boundOf))]
    .filter((bound) => !Number.isNaN(bound))
    .toSorted((a, b) => a - b);
  return {
    bounds: bounds.map((bound) => bound / perSecond),
    counts: bounds.map((bound) => sum(buckets.filter((one) => boundOf(one) === bound))),
  };
}

/** Seconds; NaN where the sample is no bucket. */
function boundOf({ labels }: Sample): number {
  return Number(labels.le?.replace("+Inf", "Infinity"));
}

export function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

/** A text as RE2 takes it to the letter. Pure. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
