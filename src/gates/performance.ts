import { z } from "zod";
import { otherwise } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import type { GateVerdict } from "../core/calls.ts";
import { boundFactor, boundQuantiles, quantileOf, slowBounds } from "../core/statistics/exceedance.ts";
import { defaultAlpha, slowLines } from "../core/statistics/lines.ts";
import {
  judgeLive,
  type LiveAnalysis,
  type LiveMemory,
  noTraffic,
} from "../core/statistics/live-analysis.ts";
import { type Asking, type AskingConfig, askingOf, askingShape } from "./asking.ts";
import { ingressGateProblems } from "./ingress-rules.ts";
import { type ConfigurableGate, lookBy, weightKey } from "./kind.ts";
import { type LiveCare, liveCare, patientPauses, unknownLive } from "./live-care.ts";
import { liveMemory, shaped } from "./live-memory.ts";
import type { PerformanceSample, Timed } from "./performance/ask.ts";

/** Whether the release answers as fast as the live one, under the same requests. */
export interface PerformanceConfig extends Omit<AskingConfig, "compare" | "answer" | "mask"> {
  /**
   * Requests a second to each slot, sent whether or not those before were answered; never more than a tenth of clients', where these are counted.
   * @default 5 where nobody counts
   */
  readonly rate?: number;
  /** Seconds after which it says what it could not show. @default 300 */
  readonly duration?: number;
  /** Its part of the release's alpha, beside those of other gates that judge by statistics, above 0. @default 1 */
  readonly weight?: number;
}

export interface PerformanceForm {
  readonly performance: PerformanceConfig;
}

export interface PerformanceSettings {
  readonly kind: "performance";
  readonly asking: Asking;
  readonly rate: number | undefined;
  readonly durationMs: number;
  readonly weight: number;
  readonly alpha: number;
}

export interface PerformanceMemory {
  /** Live's answers before anything is compared, milliseconds: they fix the bounds. */
  readonly first: readonly number[];
  /** Seconds; none: not fixed yet. */
  readonly bounds: readonly number[];
  readonly live: LiveMemory | undefined;
  readonly elapsedMs: number;
  /** Requests to each slot so far. */
  readonly sent: number;
  /** How live answers by itself. @default nothing is known yet */
  readonly care?: LiveCare;
  /** Live's median and 95 % when the bounds were fixed, milliseconds. @default not kept */
  readonly fixedBy?: { readonly median: number; readonly high: number } | undefined;
  /** Live's newest answers since then, milliseconds. @default none */
  readonly later?: readonly number[];
  /** The bounds are the second ones. @default false */
  readonly isSecond?: boolean;
}

const nothing: PerformanceMemory = { first: [], bounds: [], live: undefined, elapsedMs: 0, sent: 0 };

const memory = shaped<PerformanceMemory>(
  z.object({
    first: z.array(z.number()),
    bounds: z.array(z.number().positive()),
    live: liveMemory.optional(),
    elapsedMs: z.number().min(0),
    sent: z.int().min(0),
    care: liveCare.optional(),
    fixedBy: z.object({ median: z.number(), high: z.number() }).optional(),
    later: z.array(z.number()).optional(),
    isSecond: z.boolean().optional(),
  }),
);

const firstAnswers = 50;
const laterAnswers = 200;
/** Bounds of a live slot that had not enough of the machine hide a slow release: so much over what its later answers say, they are fixed anew. */
const staleFactor = 1.5;
/** A share of live's answers that is far below the 5 % which are expected. */
const hardlyAny = 0.005;
/** The parts of alpha of the first bounds, and of the second ones: together it is all of it. */
export const alphaParts = { first: 0.8, second: 0.2 } as const;
const defaultSeconds = 300;

const nameOf = (seconds: number) => `over ${Number((1000 * seconds).toPrecision(3))} ms`;

/** What a block adds, and what all of them say. Pure. */
export function judgePerformance(
  kept: PerformanceMemory,
  sample: PerformanceSample,
  { alpha, durationMs }: Pick<PerformanceSettings, "alpha" | "durationMs">,
): { readonly verdict: GateVerdict; readonly memory: PerformanceMemory } {
  if (sample.kind === "paused") {
    const isLong = (kept.care?.pauses ?? 0) >= patientPauses;
    return { memory: kept, verdict: { verdict: isLong ? "inconclusive" : "hold", evidence: sample.why } };
  }
  if (sample.kind !== "timed") {
    return { memory: kept, verdict: { verdict: "inconclusive", evidence: sample.why } };
  }
  const next = {
    ...kept,
    care: sample.care,
    elapsedMs: kept.elapsedMs + sample.durationMs,
    sent: kept.sent + sample.times.length,
  };
  if (kept.bounds.length === 0) return withBounds(next, sample.times, durationMs);
  // What live did not answer is nothing to be as fast as.
  const times = sample.times.filter(({ live }) => Number.isFinite(live));
  const later = [...(kept.later ?? []), ...times.map(({ live }) => live)].slice(-laterAnswers);
  const analysis: LiveAnalysis = {
    metrics: kept.bounds.map((bound) => ({ name: nameOf(bound), lines: slowLines })),
    steps: 1,
    alpha: alpha * (kept.isSecond === true ? alphaParts.second : alphaParts.first),
  };
  const blocks = Object.fromEntries(
    kept.bounds.map((bound) => [
      nameOf(bound),
      {
        newRequests: times.length,
        liveRequests: times.length,
        newEvents: times.filter(({ release }) => release > 1000 * bound).length,
        liveEvents: times.filter(({ live }) => live > 1000 * bound).length,
      },
    ]),
  );
  const judged = judgeLive(analysis, kept.live ?? noTraffic(analysis), {
    step: 0,
    share: undefined,
    durationMs: sample.durationMs,
    blocks,
  });
  const { verdict } = judged;
  const memory = { ...next, live: judged.memory, later };
  const shares = verdict.metrics.map(({ name, inAll }) => {
    const fresh = percent(inAll.newEvents / Math.max(1, inAll.newRequests));
    return `${name} ${fresh}, live ${percent(inAll.liveEvents / Math.max(1, inAll.liveRequests))}`;
  });
  const strained = sample.strain === undefined ? "" : `; live is left alone for 30 s: ${sample.strain}`;
  const evidence = `of ${next.sent} requests to each: ${shares.join("; ")}${strained}`;
  const data = { metrics: verdict.metrics, bounds: kept.bounds, requests: next.sent };
  const said = (of: GateVerdict["verdict"], text: string) => ({
    memory,
    verdict: { verdict: of, evidence: text, data },
  });
  const hold = (missing: string) =>
    next.elapsedMs < durationMs
      ? said("hold", evidence)
      : said("inconclusive", `not shown within ${durationMs / 1000} s: ${missing}; ${evidence}`);
  switch (verdict.verdict) {
    case "fail":
      return said("fail", `more answers ${verdict.because.join(" and ")} than live: ${evidence}`);
    case "pass": {
      if (!isStale(kept.fixedBy, later)) return said("pass", evidence);
      const bounds = boundsOf(later);
      if (kept.isSecond === true) return hold("live's answers are sometimes fast and sometimes slow");
      const again = `live answers faster than when it was fixed what slow is: it is fixed anew, as ${bounds.map(nameOf).join(", ")}`;
      return {
        memory: {
          ...next,
          ...{
            live: undefined,
            bounds,
            fixedBy: quantilesOf(later),
            later: [],
            isSecond: true,
            elapsedMs: 0,
          },
        },
        verdict: { verdict: "hold", evidence: again, data },
      };
    }
    case "inconclusive":
      return said("inconclusive", evidence);
    case "hold":
      return hold(`answers ${verdict.missing.join(", ")}`);
  }
}

/** Whether live is that much faster now: its median is, or hardly any answer comes near what 5 % took. What is chance of few answers is neither. */
function isStale(fixedBy: PerformanceMemory["fixedBy"], later: readonly number[]): boolean {
  if (fixedBy === undefined || later.length < firstAnswers) return false;
  const { median } = quantilesOf(later);
  const near = later.filter((one) => one > fixedBy.high / staleFactor).length;
  return fixedBy.median > staleFactor * median || near < hardlyAny * later.length;
}

function quantilesOf(answers: readonly number[]): { readonly median: number; readonly high: number } {
  const sorted = answers.toSorted((a, b) => a - b);
  return { median: quantileOf(sorted, 0.5) ?? 0, high: quantileOf(sorted, 0.95) ?? 0 };
}

/** Seconds. */
function boundsOf(answers: readonly number[]): readonly number[] {
  const sorted = answers.toSorted((a, b) => a - b);
  const quantiles = boundQuantiles.map((quantile) => (quantileOf(sorted, quantile) ?? Number.NaN) / 1000);
  return slowBounds(quantiles).flatMap((bound) => (bound.kind === "bound" ? [bound.seconds] : []));
}

/** Bounds are fixed by live's answers before one of the release counts. */
function withBounds(
  kept: PerformanceMemory,
  times: readonly Timed[],
  durationMs: number,
): { readonly verdict: GateVerdict; readonly memory: PerformanceMemory } {
  const answered = times.map(({ live }) => live).filter((one) => Number.isFinite(one));
  const first = [...kept.first, ...answered];
  if (first.length < firstAnswers) {
    const isLate = kept.elapsedMs >= durationMs;
    const evidence = `live has given ${first.length} of the ${firstAnswers} answers that fix what slow is`;
    return { memory: { ...kept, first }, verdict: { verdict: isLate ? "inconclusive" : "hold", evidence } };
  }
  const bounds = boundsOf(first);
  const evidence = `slow is ${bounds.map(nameOf).join(", ")}: ${boundFactor} times live's median, 95 and 99 %`;
  const memory = { ...kept, first: [], bounds, fixedBy: quantilesOf(first) };
  return { memory, verdict: { verdict: "hold", evidence } };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

const { cases, path, protocol, headers, insecure } = askingShape;

const performance = z
  .strictObject({
    ...{ cases, path, protocol, headers, insecure },
    rate: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .describe(
        "Requests a second to each slot, whether or not those before were answered; never over a tenth of clients' where these are counted. Default: 5 where nobody counts",
      ),
    duration: z
      .number()
      .positive()
      .optional()
      .describe(`Seconds after which it says what it could not show. ${otherwise(defaultSeconds)}`),
    weight: weightKey,
  })
  .describe("Whether the release answers as fast as the live model, under the same requests");

export const performanceGate: ConfigurableGate<PerformanceForm, PerformanceSettings> = {
  key: "performance",
  schema: tied<PerformanceForm>()(z.object({ performance })),
  timeout: 10,
  every: 1,
  phases: ["verify"],
  statistical: { weightOf: ({ weight }) => weight, needsSteps: false },
  settings: ({ performance: { rate, duration, weight, ...asking } }, timeoutMs) => ({
    kind: "performance",
    asking: askingOf(asking, timeoutMs),
    rate,
    durationMs: (duration ?? defaultSeconds) * 1000,
    weight: weight ?? 1,
    alpha: defaultAlpha,
  }),
  problems: (gate, around) => ingressGateProblems("performance", { phases: ["verify"], ...gate }, around),
  require: async ({ asking }, folder) => {
    const [{ readCases }, { requireUsable }] = await Promise.all([
      import("./cases/read-cases.ts"),
      import("./cases/require-usable.ts"),
    ]);
    requireUsable(asking, await readCases(folder, asking.cases, "input"));
  },
  look: lookBy<PerformanceSettings, PerformanceSample, PerformanceMemory>({
    remembers: { nothing, schema: memory },
    ask: async ({ io, memory: kept }, { asking, rate }, _subject, signal) => {
      const { timeBlock } = await import("./performance/ask.ts");
      const { sent: turn, care = unknownLive } = kept;
      return await timeBlock(io, { asking, rate, turn, care }, signal);
    },
    judge: judgePerformance,
  }),
};
