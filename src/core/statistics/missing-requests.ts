import { defaultBeta, type Lines } from "./lines.ts";
import type { MetricEvidence } from "./live-analysis.ts";
import { requestsUntilPass } from "./power.ts";

/** What a step that holds waits for. */
export interface MissingRequests {
  /** Live's rate of events so far, and the rate that is bad beside it: "from 0.5 % to 1.4 %". */
  readonly live: number;
  readonly bad: number;
  /** Requests of both slots until a new slot like live is shown to be under that with 80 %. Infinity: not at this share. */
  readonly requests: number;
}

const power = 0.8;
/** Plans are this much longer than the approximation says. */
const reserve = 1.1;

/**
 * How many requests a metric still lacks in its step at the new slot's present share (0 to 1), if the new slot is as live is. An estimate for people,
 * never part of a verdict.
 */
export function missingRequests(
  { inAll, inStep }: Pick<MetricEvidence, "inAll" | "inStep">,
  lines: Lines,
  share: number,
  beta: number = defaultBeta,
): MissingRequests {
  // Half an event in one request more: of a live slot without events nobody knows that it never has one.
  const live = (inAll.liveEvents + 0.5) / (inAll.liveRequests + 1);
  const bad = Math.min(0.99, lines.bad.ratio * live + lines.bad.margin);
  if (share <= 0 || share >= 1) return { live, bad, requests: Number.POSITIVE_INFINITY };
  const needed = reserve * requestsUntilPass(power, { live, new: live, share }, lines, beta);
  const seen = inStep.newRequests + inStep.liveRequests;
  return { live, bad, requests: Math.max(0, Math.ceil(needed - seen)) };
}
