import { isHigh } from "./mann-whitney.ts";

/** What a rule sees of one minute of one slot. */
export interface Minute {
  readonly requests: number;
  readonly errors: number;
  /** Seconds, summed over the requests. */
  readonly latency: number;
}

/** One minute of both slots. */
export interface MinuteOfBoth {
  readonly new: Minute;
  readonly live: Minute;
}

/** A rule: the minute, from 1, with which it sends the release back; `undefined`: never. */
export type Rule = (minutes: readonly MinuteOfBoth[]) => number | undefined;

const leastSuccess = 0.99;
const longestMean = 0.5;

const successOf = ({ requests, errors }: Minute) => 1 - errors / requests;
const meanOf = ({ requests, latency }: Minute) => latency / requests;

/**
 * Flagger, a check a minute of the canary alone: success of 99 % and a mean latency of 500 ms (its documentation's values). A failed check, or
 * one without a value, counts; the count never falls, and at `threshold` the release goes back.
 */
export function flagger(threshold: number): Rule {
  return (minutes) => {
    let failed = 0;
    for (const [index, { new: canary }] of minutes.entries()) {
      const isFine =
        canary.requests > 0 && successOf(canary) >= leastSuccess && meanOf(canary) <= longestMean;
      if (!isFine) failed++;
      if (failed >= threshold) return index + 1;
    }
    return undefined;
  };
}

/** Argo Rollouts, a measurement a minute: success of 99 %. More failed ones than `failureLimit` fail the analysis. */
export function argo(failureLimit: number): Rule {
  return (minutes) => {
    let failed = 0;
    for (const [index, { new: canary }] of minutes.entries()) {
      if (canary.requests > 0 && successOf(canary) < leastSuccess) failed++;
      if (failed > failureLimit) return index + 1;
    }
    return undefined;
  };
}

/**
 * Kayenta, a judgement after 5, 10 and 15 minutes over all minutes so far: error rate and mean latency, each "High" or not, fail under a score of
 * 75. The baseline is the live slot; Kayenta asks for one of its own of the canary's size.
 */
export const kayenta: Rule = (minutes) => {
  const rate = ({ requests, errors }: Minute) => (requests === 0 ? 0 : errors / requests);
  const mean = (minute: Minute) => (minute.requests === 0 ? 0 : meanOf(minute));
  for (const count of [5, 10, 15]) {
    const seen = minutes.slice(0, count);
    if (seen.length < count) return undefined;
    const isAnyHigh = [rate, mean].some((metric) =>
      isHigh(
        seen.map((minute) => metric(minute.new)),
        seen.map((minute) => metric(minute.live)),
      ),
    );
    // Two groups of one metric: one that is not passed halves the score.
    if (isAnyHigh) return count;
  }
  return undefined;
};

/** Answers to the same requests of two slots, field by field. */
export interface DiffyField {
  readonly requests: number;
  /** Primary and candidate differ. */
  readonly raw: number;
  /** Primary and secondary, the same old build, differ. */
  readonly noise: number;
}

/** Diffy's rule for one field: more differences than noise, by more than 20 % of both and 0.03 % of the requests. */
export function isFlaggedByDiffy({ requests, raw, noise }: DiffyField): boolean {
  const difference = raw - noise;
  return difference > 0 && difference / (raw + noise) > 0.2 && difference / requests > 0.0003;
}
