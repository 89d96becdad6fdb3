import { type AutoStepsOptions, badRate, type PlannedMetric, secondsToSee } from "./auto-steps.ts";
import { startWeights } from "./share-process.ts";

/** A step as it is planned. */
export interface PlannedStep {
  /** Of the new slot, 0 to 1. */
  readonly share: number;
  readonly seconds: number;
}

/** What a step will be able to see of one metric. */
export interface Sight {
  readonly metric: string;
  readonly step: PlannedStep;
  /** Live's rate, and the one beside it that is bad. */
  readonly live: number;
  readonly bad: number;
  /** Requests of both slots, and the time at the present rate, until the bad rate is seen with 80 %. Infinity: not at this rate. */
  readonly requests: number;
  readonly neededSeconds: number;
  /** The step is too short for that. */
  readonly isShort: boolean;
}

/** What each step will be able to see of each metric, by the traffic that there is: a plan for people, never part of a verdict. */
export function sightsOf(
  steps: readonly PlannedStep[],
  metrics: readonly (PlannedMetric & { readonly name: string })[],
  options: Pick<AutoStepsOptions, "requestsPerSecond" | "alpha">,
): readonly Sight[] {
  const starts = startWeights(steps.length);
  return steps.flatMap((step, index) =>
    metrics.map((metric): Sight => {
      const neededSeconds =
        options.requestsPerSecond > 0
          ? secondsToSee(step.share, starts[index] ?? 1, { ...options, metrics: [metric] })
          : Number.POSITIVE_INFINITY;
      return {
        metric: metric.name,
        step,
        live: metric.live,
        bad: badRate(metric.live, metric.lines),
        requests: Math.ceil(neededSeconds * options.requestsPerSecond),
        neededSeconds,
        isShort: neededSeconds > step.seconds,
      };
    }),
  );
}
