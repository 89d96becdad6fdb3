import { type Comparison, type Counts, evidenceOf } from "../../core/evidence/read.ts";
import { shareInterval } from "../../core/statistics/intervals.ts";
import type { Estimate, EstimatedShare, ReportedVerdict } from "./rollout-report.ts";
import type { RecordedVerdict } from "./verdicts.ts";

/** How often the bounds of a share may be wrong, at any number of looks. */
const boundsAlpha = 0.05;

/** A verdict with how sure we are of it. Pure. */
export function reportedVerdict(verdict: RecordedVerdict): ReportedVerdict {
  return { ...verdict, estimates: evidenceOf(verdict.data).comparisons.map(estimateOf) };
}

function estimateOf({ name, new: fresh, live, lnFail, alpha }: Comparison): Estimate {
  return {
    name,
    new: shareOf(fresh),
    live: live === undefined ? null : shareOf(live),
    against:
      lnFail === undefined || alpha === undefined || !Number.isFinite(lnFail)
        ? null
        : // A factor of more than 1e15 tells nobody more.
          { factor: digits(Math.exp(Math.min(lnFail, 34.5))), sendsBackAt: digits(1 / alpha), alpha },
  };
}

function shareOf({ events, requests }: Counts): EstimatedShare {
  // What is no share of so many requests has no bounds.
  if (requests === 0 || events > requests) return { events, requests, share: null, low: 0, high: 1 };
  const { low, high } = shareInterval(events, requests, boundsAlpha);
  return { events, requests, share: digits(events / requests), low: digits(low), high: digits(high) };
}

function digits(value: number): number {
  return Number(value.toPrecision(5));
}
