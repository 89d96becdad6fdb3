import { z } from "zod";
import { tied } from "../config/parts/tied.ts";
import type { GateVerdict } from "../core/calls.ts";
import { gateDefaults } from "../core/defaults.ts";
import { isFields } from "../core/fields.ts";
import { otherSlot } from "../core/slots.ts";
import {
  type CountersMemory,
  noReading,
  type Reading,
  type ReadingOutcome,
  withReading,
} from "../core/statistics/counters.ts";
import { defaultAlpha, errorLines, slowLines } from "../core/statistics/lines.ts";
import {
  judgeLive,
  type LiveAnalysis,
  type LiveMemory,
  type LiveVerdict,
  noTraffic,
} from "../core/statistics/live-analysis.ts";
import { missingRequests } from "../core/statistics/missing-requests.ts";
import type { CounterSource, CountersOutcome, GateSubject } from "./io.ts";
import { type ConfigurableGate, lookBy } from "./kind.ts";

/** Pods of the ingress controller, read through the API server. */
export interface ControllerPods {
  readonly namespace: string;
  /** Labels of the pods, for example `app.kubernetes.io/name=traefik`. */
  readonly selector: string;
  /** Port of the metrics. */
  readonly port: number;
  /** @default /metrics */
  readonly path?: string;
}

/** How clients' traffic is compared in both slots. */
export interface TrafficConfig {
  /** Where the ingress controller shows what it counts: an address for each of its replicas, or its pods. */
  readonly metrics: readonly [string | ControllerPods, ...(string | ControllerPods)[]];
  /**
   * Seconds that an answer may take; slower ones are compared, too. One of the bounds that the controller counts by (Traefik: 0.1, 0.3, 1.2
   * and 5, unless it was told others). @default not compared
   */
  readonly latency?: number;
  /** Chance that a good release is sent back, 0 to 1, over all looks. @default 0.05 */
  readonly alpha?: number;
}

export interface TrafficForm {
  /** Compares errors and slow answers of clients' own requests, as the ingress controller counts them. */
  readonly traffic: TrafficConfig;
}

export interface TrafficSettings {
  readonly kind: "traffic";
  readonly sources: readonly CounterSource[];
  readonly latency: number | undefined;
  readonly alpha: number;
  readonly timeoutMs: number;
}

/** What is remembered over all steps, and by whoever goes on. */
export interface TrafficMemory {
  readonly counters: CountersMemory;
  /** Of the command that read last, and of the controller's replicas: counters of others are no continuation of these. */
  readonly era: string;
  readonly live: LiveMemory | undefined;
}

const nothing: TrafficMemory = { counters: noReading, era: "", live: undefined };

/** Written and read by this version of the rules alone; what another one wrote begins anew. */
const memory = z.custom<TrafficMemory>(
  (kept) => isFields(kept) && isFields(kept.counters) && typeof kept.era === "string",
);

function analysisOf({ latency, alpha }: TrafficSettings, steps: number): LiveAnalysis {
  return {
    metrics: [
      { name: "errors", lines: errorLines },
      ...(latency === undefined ? [] : [{ name: "latency", lines: slowLines }]),
    ],
    steps,
    alpha,
  };
}

/** Judges what was read. Pure. */
export function judgeTraffic(
  kept: TrafficMemory,
  read: CountersOutcome,
  settings: TrafficSettings,
  subject: Pick<GateSubject, "slot" | "stepIndex" | "split">,
): { readonly verdict: GateVerdict; readonly memory: TrafficMemory } {
  if (read.kind === "unreadable") {
    return { verdict: { verdict: "inconclusive", evidence: read.why }, memory: kept };
  }
  const { slot, stepIndex, split } = subject;
  const analysis = analysisOf(settings, read.steps);
  const reading: Reading = {
    atMs: read.atMs,
    new: read.slots[slot],
    live: read.slots[otherSlot(slot)],
    own: { new: read.own[slot], live: read.own[otherSlot(slot)] },
    share: split[slot] / 100,
    isDisturbed: read.isDisturbed || (kept.counters.since !== undefined && kept.era !== read.era),
  };
  const { memory: counters, outcome } = withReading(kept.counters, reading);
  const sample = {
    step: stepIndex,
    share: reading.share,
    ...(outcome.kind === "blocks"
      ? { durationMs: outcome.durationMs, blocks: outcome.blocks }
      : { durationMs: 0, blocks: {} }),
  };
  const judged = judgeLive(analysis, kept.live ?? noTraffic(analysis), sample);
  const memory: TrafficMemory = { counters, era: read.era, live: judged.memory };
  const { stepMs } = judged.memory;
  return { memory, verdict: said(judged.verdict, { analysis, read, settings, subject, outcome, stepMs }) };
}

interface About {
  readonly analysis: LiveAnalysis;
  /** How long the step has been counted. */
  readonly stepMs: number;
  readonly read: Extract<CountersOutcome, { kind: "read" }>;
  readonly settings: TrafficSettings;
  readonly subject: Pick<GateSubject, "slot" | "split">;
  readonly outcome: ReadingOutcome;
}

function said(verdict: LiveVerdict, about: About): GateVerdict {
  const { read, settings, subject } = about;
  const { latency } = settings;
  const data = { metrics: verdict.metrics };
  if (latency !== undefined && !read.bounds.includes(latency) && read.bounds.length > 0) {
    const bounds = read.bounds.join(", ");
    const evidence = `${read.controller} does not count which answers take longer than ${latency} s: choose one of ${bounds}, or tell it that bound`;
    return { verdict: "inconclusive", evidence, data };
  }
  const counted = countedText(verdict, about);
  switch (verdict.verdict) {
    case "fail":
      return {
        verdict: "fail",
        evidence: `more ${verdict.because.map((name) => nameOf(name, latency)).join(" and ")} than live: ${counted}`,
        data,
      };
    case "inconclusive": {
      const { observed, declared } = verdict.share;
      const shares = `${percent(observed ?? 0)} of the requests went to ${subject.slot}, ${percent(declared)} are declared`;
      return { verdict: "inconclusive", evidence: `${shares}: ${counted}`, data };
    }
    case "pass":
      return { verdict: "pass", evidence: counted, data };
    case "hold": {
      if (subject.split[subject.slot] === 100) {
        // Nobody is left to be compared with: what the steps before have shown is all that there is.
        return {
          verdict: "pass",
          evidence: `all traffic is on ${subject.slot}, nothing to compare it with any more`,
          data,
        };
      }
      return { verdict: "hold", evidence: `not shown yet: ${missingText(verdict, about)}; ${counted}`, data };
    }
  }
}

/** What is not shown, and how many requests, and how much time at their present rate, that still takes. */
function missingText(
  { missing, metrics }: Extract<LiveVerdict, { verdict: "hold" }>,
  { analysis, settings, subject, stepMs }: About,
): string {
  const texts = analysis.metrics.flatMap(({ name, lines }): string[] => {
    if (!missing.includes(name)) return [];
    const seen = metrics.find((metric) => metric.name === name);
    const requests = seen === undefined ? 0 : seen.inStep.newRequests + seen.inStep.liveRequests;
    if (seen === undefined || requests === 0) return [nameOf(name, settings.latency)];
    const lack = missingRequests(seen, lines, subject.split[subject.slot] / 100);
    const what = `${nameOf(name, settings.latency)} below ${percent(lack.bad)}`;
    if (!Number.isFinite(lack.requests)) return [what];
    const minutes = Math.ceil((lack.requests * stepMs) / requests / 60_000);
    return [`${what} (about ${lack.requests} more requests, ${minutes} min at their present rate)`];
  });
  return texts.length === 0 ? "anything" : texts.join(" and ");
}

function countedText({ metrics }: LiveVerdict, { settings, subject, outcome }: About): string {
  const of = (events: number, requests: number) =>
    requests === 0 ? "no request" : `${percent(events / requests)} of ${requests}`;
  const lines = metrics.map(({ name, inAll }) => {
    const fresh = `${of(inAll.newEvents, inAll.newRequests)} in ${subject.slot}`;
    const live = `${of(inAll.liveEvents, inAll.liveRequests)} in ${otherSlot(subject.slot)}`;
    return `${nameOf(name, settings.latency)} ${fresh}, ${live}`;
  });
  const dropped =
    outcome.kind === "dropped" ? ` (the last reading is left out: ${dropReasons[outcome.why]})` : "";
  return `${lines.join("; ")}${dropped}`;
}

const dropReasons: Readonly<Record<Extract<ReadingOutcome, { kind: "dropped" }>["why"], string>> = {
  disturbed: "a proof, another command or another replica of the controller fell into it",
  "share-changed": "the shares were changed",
  "counter-reset": "a counter began anew",
};

function nameOf(metric: string, latency: number | undefined): string {
  return metric === "latency" ? `answers slower than ${latency} s` : metric;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

const pods = z.strictObject({
  namespace: z.string().min(1).describe("Namespace of the ingress controller's pods"),
  selector: z.string().min(1).describe("Labels of its pods, for example app.kubernetes.io/name=traefik"),
  port: z.int().min(1).max(65_535).describe("Port of the metrics"),
  path: z.string().regex(/^\//).optional().describe("Default: /metrics"),
});

const address = z.string().regex(/^https?:\/\/\S+$/, "is no address such as http://10.0.0.7:9100/metrics");
const source = z.union([address, pods]);

const traffic = z
  .strictObject({
    metrics: z
      .tuple([source], source)
      .describe(
        "Where the ingress controller shows what it counts: an address for each replica, or its pods",
      ),
    latency: z
      .number()
      .positive()
      .optional()
      .describe(
        "Seconds that an answer may take: a bound that the controller counts by. Default: not compared",
      ),
    alpha: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe(`Chance that a good release is sent back, over all looks. Default: ${defaultAlpha}`),
  })
  .describe(
    "Compares errors and slow answers of clients' requests in both slots, as the ingress controller counts them",
  );

export const trafficGate: ConfigurableGate<TrafficForm, TrafficSettings> = {
  key: "traffic",
  schema: tied<TrafficForm>()(z.object({ traffic })),
  timeout: gateDefaults.timeout,
  phases: ["shift"],
  settings: ({ traffic: { metrics, latency, alpha = defaultAlpha } }, timeoutMs) => ({
    kind: "traffic",
    sources: metrics.map(
      (one): CounterSource =>
        typeof one === "string" ? { kind: "url", url: one } : { kind: "pods", path: "/metrics", ...one },
    ),
    latency,
    alpha,
    timeoutMs,
  }),
  problems: (_gate, { input }) => {
    const rollout = "rollout" in input && isFields(input.rollout) ? input.rollout : {};
    // Steps that are no text are refused where they are read.
    const isOneJump = rollout.steps === undefined || /^\s*100\s*%/.test(String(rollout.steps));
    return isOneJump
      ? [
          {
            path: ["traffic"],
            message:
              'compares nothing in one jump, where at no time both slots have clients\' requests: give the release steps, for example rollout.steps: "5%:5m, 25%:5m, 50%:5m"',
          },
        ]
      : [];
  },
  look: lookBy<TrafficSettings, CountersOutcome, TrafficMemory>({
    remembers: { nothing, schema: memory },
    ask: async ({ io }, { sources, latency, timeoutMs }, _subject, signal) =>
      await io.counters({ sources, latency, timeoutMs, signal }),
    judge: judgeTraffic,
  }),
};
