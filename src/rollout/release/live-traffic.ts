import { isInterrupted } from "../../core/errors.ts";
import { liveSlot } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import type { PlannedMetric } from "../../core/statistics/auto-steps.ts";
import { eventsOf } from "../../core/statistics/counted.ts";
import { slowBoundsOfHistogram } from "../../core/statistics/exceedance.ts";
import { alphaOf } from "../../core/statistics/live-analysis.ts";
import type { Gate } from "../../gates/kinds.ts";
import { metricsOf } from "../../gates/traffic-judge.ts";
import type { RolloutContext } from "../context/context.ts";
import type { FoundCounters } from "../observe/find-counters.ts";
import { lastHour } from "../observe/prometheus.ts";
import { type CountersRead, namedSource, readCounters } from "../observe/read-counters.ts";
import type { CountedRollout } from "./counted-rollout.ts";
import { countersAbout, foundCounters, nobodyCounts, together } from "./counter-io.ts";

export type TrafficGate = Extract<Gate, { kind: "traffic" }>;

/** A metric with live's rate, for plans. */
export type MeasuredMetric = PlannedMetric & { readonly name: string; readonly alpha: number };

/** Clients' requests as they come at present. */
export interface MeasuredTraffic {
  readonly kind: "measured";
  /** Who counts, and where that is read. */
  readonly by: string;
  readonly where: string;
  /** Of both slots together: the least ten-minute mean of the last hour where somebody remembers that, else the present rate. */
  readonly requestsPerSecond: number;
  /** Seconds that were looked at. */
  readonly overSeconds: number;
  readonly metrics: readonly MeasuredMetric[];
}

export type LiveTraffic = MeasuredTraffic | { readonly kind: "none"; readonly why: string };

/** How long the present rate is looked at, milliseconds. */
const sampleMs = 5_000;
const timeoutMs = 5_000;
/** Of fewer requests nobody knows a latency. */
const fewestForBounds = 100;

/** The gate that compares clients' requests; `undefined`: there is none. */
export function trafficGateOf({ config }: Pick<RolloutContext, "config">): TrafficGate | undefined {
  return config.rollout.gates.find((gate): gate is TrafficGate => gate.kind === "traffic");
}

/** Measures clients' requests as the gate will count them. Changes nothing, and sends clients' hosts nothing. */
export async function measureTraffic(
  context: RolloutContext,
  seen: CountedRollout,
  gate: TrafficGate,
): Promise<LiveTraffic> {
  const about = countersAbout(context, seen, { timeoutMs, signal: context.signal });
  const found = await ofGate(context, seen, gate, about);
  if (found.kind === "none") return { kind: "none", why: nobodyCounts(found.tried) };
  const first = found.read;
  const remembered = await hourOf(context, about);
  const now = remembered === undefined ? await later(context, found, about) : undefined;
  if (now?.kind === "unreadable") return { kind: "none", why: now.why };
  const last = now ?? first;
  const counted = together(last);
  const live = counted[liveSlot(seen.routing)];
  const bounds =
    gate.latency === "off"
      ? []
      : gate.latency !== "found"
        ? [gate.latency]
        : live.requests < fewestForBounds
          ? []
          : slowBoundsOfHistogram(live.latencies).flatMap((one) =>
              one.kind === "bound" ? [one.seconds] : [],
            );
  const metrics = metricsOf(bounds);
  const { events } = eventsOf(live, bounds);
  const overSeconds = remembered === undefined ? (last.atMs - first.atMs) / 1000 : 3600;
  return {
    kind: "measured",
    by: last.by,
    where: last.where,
    requestsPerSecond: remembered ?? (requestsIn(last) - requestsIn(first)) / Math.max(1, overSeconds),
    overSeconds,
    metrics: metrics.flatMap((metric) => {
      const own = events[metric.name];
      // Half an event in one request more: of a live slot without events nobody knows that it never has one.
      const rate = ((own ?? 0) + 0.5) / (live.requests + 1);
      const alpha = alphaOf({ metrics, alpha: gate.alpha }, metric);
      return own === undefined
        ? []
        : [{ name: metric.name, lines: metric.lines, live: Math.min(0.99, rate), alpha }];
    }),
  };
}

async function ofGate(
  context: RolloutContext,
  seen: CountedRollout,
  { sources }: TrafficGate,
  about: ReturnType<typeof countersAbout>,
): Promise<FoundCounters> {
  if (sources === undefined) return await foundCounters(context, about, seen);
  const source = namedSource(sources);
  const read = await readCounters(source, about);
  return read.kind === "read"
    ? { kind: "found", source, read, tried: [] }
    : { kind: "none", tried: [read.why] };
}

/** The least ten-minute mean of the last hour; `undefined`: nobody remembers it. */
async function hourOf(
  { clock }: RolloutContext,
  about: ReturnType<typeof countersAbout>,
): Promise<number | undefined> {
  const { prometheus, router, model, send, signal } = about;
  if (prometheus === undefined || (router.counters ?? []).length === 0) return undefined;
  try {
    const means = await lastHour(prometheus, router.counters ?? [], model, {
      send,
      clock,
      timeoutMs,
      signal,
    });
    return means.length === 0 ? undefined : Math.min(...means);
  } catch (error) {
    if (isInterrupted(error) || signal.aborted) throw error;
    // The present rate will do; a gate that reads it says what is wrong.
    return undefined;
  }
}

async function later(
  { clock, signal }: RolloutContext,
  { source }: Extract<FoundCounters, { kind: "found" }>,
  about: ReturnType<typeof countersAbout>,
): Promise<CountersRead> {
  await clock.sleep(sampleMs, signal);
  return await readCounters(source, about);
}

function requestsIn(read: Extract<CountersRead, { kind: "read" }>): number {
  const counted = together(read);
  return slots.reduce((sum, slot) => sum + counted[slot].requests, 0);
}
