import type { GateVerdict } from "../core/calls.ts";
import { otherSlot } from "../core/slots.ts";
import { eventsOf, ownEvents, slowMetric } from "../core/statistics/counted.ts";
import {
  type CountersMemory,
  noReading,
  type Reading,
  type ReadingOutcome,
  withReading,
} from "../core/statistics/counters.ts";
import { slowBoundsOfHistogram } from "../core/statistics/exceedance.ts";
import { errorLines, slowLines } from "../core/statistics/lines.ts";
import {
  judgeLive,
  type LiveAnalysis,
  type LiveMemory,
  type LiveMetric,
  type LiveVerdict,
  noTraffic,
  withMetrics,
} from "../core/statistics/live-analysis.ts";
import { missingRequests } from "../core/statistics/missing-requests.ts";
import type { CountersOutcome, GateSubject } from "./io.ts";
import { metricsData } from "./traffic-data.ts";

/** How clients' traffic is judged. */
export interface TrafficRules {
  /** Seconds: this bound. `found`: bounds by live's own latencies. `off`: latency is not compared. */
  readonly latency: number | "found" | "off";
  /** The gate's part of the release's alpha. */
  readonly alpha: number;
  /** `copies`: what is compared with the live slot are copies of its requests. @default clients' own */
  readonly of?: "copies";
}

/** What is remembered over all steps, and by whoever goes on. */
export interface TrafficMemory {
  readonly counters: CountersMemory;
  /** Of the command that read last, and of the controller's replicas: counters of others are no continuation of these. */
  readonly era: string;
  readonly live: LiveMemory | undefined;
  /** Bounds of latency, seconds, fixed by what live had been before; `undefined`: live has had too few requests for that. */
  readonly bounds?: readonly number[];
}

export const nothingSeen: TrafficMemory = { counters: noReading, era: "", live: undefined };

/** Of so many of live's requests at least its latency is known well enough to choose bounds. */
const fewestForBounds = 100;

type Read = Extract<CountersOutcome, { kind: "read" }>;
type Subject = Pick<GateSubject, "slot" | "stepIndex" | "split">;

/** Judges what was read. Pure. */
export function judgeTraffic(
  kept: TrafficMemory,
  read: CountersOutcome,
  rules: TrafficRules,
  subject: Subject,
): { readonly verdict: GateVerdict; readonly memory: TrafficMemory } {
  if (read.kind === "unreadable") {
    return { verdict: { verdict: "inconclusive", evidence: read.why }, memory: kept };
  }
  const { slot, stepIndex, split } = subject;
  const bounds = boundsOf(kept, read, rules, subject);
  const analysis = analysisOf(rules, bounds, read);
  const fixed = bounds ?? [];
  const reading: Reading = {
    atMs: read.atMs,
    new: eventsOf(read.slots[slot], fixed),
    live: eventsOf(read.slots[otherSlot(slot)], fixed),
    own: { new: ownEvents(read.own[slot], fixed), live: ownEvents(read.own[otherSlot(slot)], fixed) },
    share: read.share ?? split[slot] / 100,
    isDisturbed: read.isDisturbed || (kept.counters.since !== undefined && kept.era !== read.era),
  };
  const { memory: counters, outcome } = withReading(kept.counters, reading);
  const sample = {
    step: stepIndex,
    share: read.isShareChecked ? reading.share : undefined,
    ...(outcome.kind === "blocks"
      ? { durationMs: outcome.durationMs, blocks: outcome.blocks }
      : { durationMs: 0, blocks: {} }),
  };
  const before = kept.live === undefined ? noTraffic(analysis) : withMetrics(analysis, kept.live);
  const judged = judgeLive(analysis, before, sample);
  const memory: TrafficMemory = {
    counters,
    era: read.era,
    live: judged.memory,
    ...(bounds === undefined ? {} : { bounds }),
  };
  const { stepMs } = judged.memory;
  return {
    memory,
    verdict: said(judged.verdict, { analysis, read, rules, subject, outcome, stepMs, bounds }),
  };
}

/**
 * Bounds that latency is compared at. Those by live's own latencies are fixed by what was counted before they are used, and then for good.
 * `undefined`: not yet.
 */
function boundsOf(
  kept: TrafficMemory,
  read: Read,
  { latency }: TrafficRules,
  { slot }: Subject,
): readonly number[] | undefined {
  if (latency === "off") return [];
  if (latency !== "found") return [latency];
  if (kept.bounds !== undefined) return kept.bounds;
  const { requests, latencies } = read.slots[otherSlot(slot)];
  if (requests < fewestForBounds) return undefined;
  return slowBoundsOfHistogram(latencies).flatMap((one) => (one.kind === "bound" ? [one.seconds] : []));
}

/** Errors and latency have the same weight, whatever the number of bounds; that of bounds which are not chosen yet is kept for them. */
function analysisOf(
  { alpha }: TrafficRules,
  bounds: readonly number[] | undefined,
  { steps, longestRequestMs }: Pick<Read, "steps" | "longestRequestMs">,
): LiveAnalysis {
  return {
    metrics: metricsOf(bounds ?? []),
    ...(bounds === undefined ? { reserved: 1 } : {}),
    steps,
    alpha,
    longestRequestMs,
  };
}

/** The metrics that are compared, with the bounds of latency that were chosen. Pure. */
export function metricsOf(bounds: readonly number[]): readonly LiveMetric[] {
  return [
    { name: "errors", lines: errorLines },
    ...bounds.map((bound) => ({ name: slowMetric(bound), lines: slowLines, weight: 1 / bounds.length })),
  ];
}

interface About {
  readonly analysis: LiveAnalysis;
  /** How long the step has been counted. */
  readonly stepMs: number;
  readonly read: Read;
  readonly rules: TrafficRules;
  readonly subject: Subject;
  readonly outcome: ReadingOutcome;
  readonly bounds: readonly number[] | undefined;
}

function said(verdict: LiveVerdict, about: About): GateVerdict {
  const { read, rules, subject, bounds } = about;
  const { latency } = rules;
  const source = { controller: read.controller, where: read.where };
  const metrics = metricsData(verdict, about.analysis);
  const data = { metrics, source, ...(bounds === undefined ? {} : { bounds }) };
  if (typeof latency === "number") {
    const known = read.slots[otherSlot(subject.slot)].latencies.bounds.filter(Number.isFinite);
    if (known.length > 0 && !known.includes(latency)) {
      const evidence = `${read.controller} does not count which answers take longer than ${latency} s: choose one of ${known.join(", ")}, or tell it that bound`;
      return { verdict: "inconclusive", evidence, data };
    }
  }
  const counted = countedText(verdict, about);
  switch (verdict.verdict) {
    case "fail":
      return {
        verdict: "fail",
        evidence: `more ${verdict.because.map(metricInWords).join(" and ")} than live: ${counted}`,
        data,
      };
    case "inconclusive": {
      const { observed, declared } = verdict.share;
      const what =
        rules.of === "copies"
          ? `of what is counted are copies in ${subject.slot}`
          : `of the requests went to ${subject.slot}`;
      const shares = `${percent(observed ?? 0)} ${what}, ${percent(declared)} are declared`;
      return { verdict: "inconclusive", evidence: `${shares}: ${counted}`, data };
    }
    case "pass":
      return read.isPinned === true
        ? { verdict: "inconclusive", evidence: `${pinnedClients}: ${counted}`, data }
        : { verdict: "pass", evidence: counted, data };
    case "hold": {
      if (subject.split[subject.slot] === 100) {
        // Nobody is left to be compared with: what the steps before have shown is all that there is.
        return {
          verdict: "pass",
          evidence: `all traffic is on ${subject.slot}, nothing to compare it with any more`,
          data,
        };
      }
      return {
        verdict: "hold",
        evidence: `${read.isPinned === true ? `${pinnedClients}; ` : ""}not shown yet: ${missingText(verdict, about)}; ${counted}`,
        data,
      };
    }
  }
}

/** Few clients may send most of the requests, and each of them all of its own to one slot: that these are alike shows nothing of the others. */
export const pinnedClients =
  "clients stay on the slot that they got (routing.sticky), so this cannot be told by their requests";

/** What is not shown, and how many requests, and how much time at their present rate, that still takes. */
function missingText(
  { missing, metrics }: Extract<LiveVerdict, { verdict: "hold" }>,
  { analysis, subject, stepMs, read }: About,
): string {
  const texts = analysis.metrics.flatMap(({ name, lines }): string[] => {
    if (!missing.includes(name)) return [];
    const seen = metrics.find((metric) => metric.name === name);
    const requests = seen === undefined ? 0 : seen.inStep.newRequests + seen.inStep.liveRequests;
    if (seen === undefined || requests === 0) return [metricInWords(name)];
    const lack = missingRequests(seen, lines, read.share ?? subject.split[subject.slot] / 100);
    const what = `${metricInWords(name)} from ${percent(lack.live)} to ${percent(lack.bad)}`;
    if (!Number.isFinite(lack.requests) || lack.requests === 0) return [what];
    const seconds = Math.ceil((lack.requests * stepMs) / requests / 1000);
    const time = seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
    return [`${what} (about ${lack.requests} more requests, ${time} at their present rate)`];
  });
  const leftMs = read.longestRequestMs - stepMs;
  const isEarly =
    leftMs > 0 &&
    texts.length > 0 &&
    metrics.every(({ inStep }) => inStep.newRequests + inStep.liveRequests > 0);
  const early = isEarly
    ? `, not before the longest request can have ended (${Math.ceil(leftMs / 1000)} s)`
    : "";
  return texts.length === 0 ? "anything" : `${texts.join(" and ")}${early}`;
}

function countedText({ metrics }: LiveVerdict, { subject, outcome, bounds, rules, read }: About): string {
  const of = (events: number, requests: number) =>
    requests === 0 ? "no request" : `${percent(events / requests)} of ${requests}`;
  const lines = metrics.map(({ name, inAll }) => {
    const fresh = `${of(inAll.newEvents, inAll.newRequests)} in ${subject.slot}`;
    const live = `${of(inAll.liveEvents, inAll.liveRequests)} in ${otherSlot(subject.slot)}`;
    return `${metricInWords(name)} ${fresh}, ${live}`;
  });
  const isBlind = rules.latency === "found" && bounds?.length === 0;
  const blind = isBlind ? ["latency not compared: live's lies above every bound that is counted"] : [];
  const dropped =
    outcome.kind === "dropped" ? ` (the last reading is left out: ${dropReasons[outcome.why]})` : "";
  return `${[...lines, ...blind].join("; ")}, by ${read.controller}${dropped}`;
}

const dropReasons: Readonly<Record<Extract<ReadingOutcome, { kind: "dropped" }>["why"], string>> = {
  disturbed: "a proof, another command or another replica of the controller fell into it",
  "share-changed": "the shares were changed",
  "counter-reset": "a counter began anew",
};

/** A metric as people call it. Pure. */
export function metricInWords(metric: string): string {
  return metric.startsWith("over ") ? `answers slower than ${metric.slice("over ".length)}` : metric;
}

/** Two digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
