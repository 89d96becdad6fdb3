import { lnTogether } from "./alpha.ts";
import { failBets, passBets } from "./bets.ts";
import { added, type Block, emptyBlock } from "./block.ts";
import { defaultAlpha, defaultBeta, type Lines } from "./lines.ts";
import {
  isExplained,
  judgeShare,
  type ShareSeen,
  type ShareSlack,
  type ShareVerdict,
} from "./share-check.ts";
import {
  begunAnew,
  capOf,
  lnEvidence,
  noShares,
  type ShareMemory,
  type ShareTest,
  startWeights,
  withBlock,
} from "./share-process.ts";

/** One metric of the live traffic that is a share: errors, answers slower than a bound, … */
export interface LiveMetric {
  readonly name: string;
  readonly lines: Lines;
  /** Its part of the gate's alpha, beside those of the others. @default 1 */
  readonly weight?: number;
}

/** The comparison of clients' traffic in both slots, over all steps of a rollout. */
export interface LiveAnalysis {
  readonly metrics: readonly LiveMetric[];
  /** Steps in which both slots get traffic. */
  readonly steps: number;
  /** Weight that is kept for metrics of which nobody knows yet how they are counted: until then they say neither. @default 0 */
  readonly reserved?: number;
  /** Chance that a good release is sent back by this gate. @default 0.05 */
  readonly alpha?: number;
  /** Chance that a step passes early a release that is bad throughout it. @default 0.05 */
  readonly beta?: number;
  /** No early pass before this time has gone by in a step: a time-out is counted when it ends. @default 0 */
  readonly longestRequestMs?: number;
}

/** One block of traffic. */
export interface LiveSample {
  /** The step, from 0. */
  readonly step: number;
  /** The new slot's declared share, 0 to 1; `undefined`: it cannot be checked, for example because clients stick to a slot. */
  readonly share: number | undefined;
  readonly durationMs: number;
  /** By metric. One that was not counted is missing: it is not judged, and never passes. */
  readonly blocks: Readonly<Record<string, Block>>;
}

interface MetricMemory {
  /** Goes on through all steps. */
  readonly fail: ShareMemory;
  /** Of the present step alone. */
  readonly pass: ShareMemory;
  /** All blocks of the present step, and of all steps, for people. */
  readonly inStep: Block;
  readonly inAll: Block;
}

/** What is remembered, plain JSON: about 0.5 KiB for each metric and step. */
export interface LiveMemory {
  readonly step: number;
  readonly stepMs: number;
  readonly seen: ShareSeen;
  readonly metrics: Readonly<Record<string, MetricMemory>>;
  /** The metrics that sent the release back, the worst first. A fail is final. */
  readonly failed?: readonly string[];
}

/** What a metric has shown so far. */
export interface MetricEvidence {
  readonly name: string;
  readonly lnFail: number;
  readonly lnPass: number;
  readonly inStep: Block;
  readonly inAll: Block;
}

export type LiveVerdict =
  | {
      readonly verdict: "fail";
      readonly because: readonly string[];
      readonly metrics: readonly MetricEvidence[];
    }
  | { readonly verdict: "pass"; readonly metrics: readonly MetricEvidence[] }
  /** `missing`: metrics that are not shown to be under their bad line yet. */
  | {
      readonly verdict: "hold";
      readonly missing: readonly string[];
      readonly metrics: readonly MetricEvidence[];
    }
  /** The new slot gets another share than declared: whether both get the same kind of requests is in doubt. */
  | {
      readonly verdict: "inconclusive";
      readonly share: ShareVerdict;
      readonly metrics: readonly MetricEvidence[];
    };

/** The alpha of each metric, summing to the gate's. */
export function alphaOf(
  analysis: Pick<LiveAnalysis, "metrics" | "reserved" | "alpha">,
  { weight = 1 }: Pick<LiveMetric, "weight">,
): number {
  return ((analysis.alpha ?? defaultAlpha) * weight) / weightOfAll(analysis);
}

function weightOfAll({ metrics, reserved = 0 }: Pick<LiveAnalysis, "metrics" | "reserved">): number {
  return metrics.reduce((sum, one) => sum + (one.weight ?? 1), reserved);
}

function failTest(analysis: LiveAnalysis, metric: LiveMetric): ShareTest {
  return {
    line: metric.lines.fail,
    bets: failBets(metric.lines.bad),
    cap: capOf(alphaOf(analysis, metric)),
    starts: startWeights(analysis.steps),
  };
}

function passTest({ lines }: LiveMetric): ShareTest {
  return { line: lines.bad, bets: passBets };
}

/** Nothing seen yet. `before`: live's requests and events by metric while the release was verified. */
export function noTraffic(
  analysis: LiveAnalysis,
  before: Readonly<Record<string, { readonly requests: number; readonly events: number }>> = {},
): LiveMemory {
  const metrics = analysis.metrics.map((metric): [string, MetricMemory] => [
    metric.name,
    {
      fail: noShares(failTest(analysis, metric), before[metric.name]),
      pass: noShares(passTest(metric), before[metric.name]),
      inStep: emptyBlock,
      inAll: emptyBlock,
    },
  ]);
  return {
    step: 0,
    stepMs: 0,
    seen: { newRequests: 0, requests: 0 },
    metrics: Object.fromEntries(metrics),
  };
}

/** The memory with metrics in it that were not counted until now. Pure. */
export function withMetrics(analysis: LiveAnalysis, memory: LiveMemory): LiveMemory {
  return { ...memory, metrics: { ...noTraffic(analysis).metrics, ...memory.metrics } };
}

/** What one more block comes to. Pure. */
export function judgeLive(
  analysis: LiveAnalysis,
  memory: LiveMemory,
  sample: LiveSample,
): { readonly memory: LiveMemory; readonly verdict: LiveVerdict } {
  const next = withSample(
    analysis,
    sample.step === memory.step ? memory : atStep(memory, sample.step),
    sample,
  );
  const verdict = verdictOf(analysis, next, sample.share);
  return {
    memory: verdict.verdict === "fail" ? { ...next, failed: verdict.because } : next,
    verdict,
  };
}

/** Evidence for a pass is a step's own: what was good at 5 % says nothing about 50 %. */
function atStep(memory: LiveMemory, step: number): LiveMemory {
  const metrics = Object.entries(memory.metrics).map(([name, one]): [string, MetricMemory] => [
    name,
    { ...one, pass: begunAnew(one.pass), inStep: emptyBlock },
  ]);
  return {
    ...memory,
    step,
    stepMs: 0,
    seen: { newRequests: 0, requests: 0 },
    metrics: Object.fromEntries(metrics),
  };
}

function withSample(analysis: LiveAnalysis, memory: LiveMemory, sample: LiveSample): LiveMemory {
  const metrics: Record<string, MetricMemory> = { ...memory.metrics };
  let counted: Block = emptyBlock;
  for (const metric of analysis.metrics) {
    const block = sample.blocks[metric.name];
    const known = memory.metrics[metric.name];
    if (block === undefined || known === undefined) continue;
    if (block.newRequests + block.liveRequests > counted.newRequests + counted.liveRequests) counted = block;
    metrics[metric.name] = {
      fail: withBlock(failTest(analysis, metric), known.fail, block, sample.step),
      pass: withBlock(passTest(metric), known.pass, block),
      inStep: added(known.inStep, block),
      inAll: added(known.inAll, block),
    };
  }
  return {
    ...memory,
    stepMs: memory.stepMs + sample.durationMs,
    seen: {
      newRequests: memory.seen.newRequests + counted.newRequests,
      requests: memory.seen.requests + counted.newRequests + counted.liveRequests,
    },
    metrics,
  };
}

function verdictOf(analysis: LiveAnalysis, memory: LiveMemory, share: number | undefined): LiveVerdict {
  const { alpha = defaultAlpha, beta = defaultBeta, longestRequestMs = 0 } = analysis;
  const metrics = analysis.metrics.flatMap((metric): (MetricEvidence & { readonly weight: number })[] => {
    const known = memory.metrics[metric.name];
    if (known === undefined) return [];
    return [
      {
        name: metric.name,
        lnFail: lnEvidence(failTest(analysis, metric), known.fail),
        lnPass: lnEvidence(passTest(metric), known.pass),
        inStep: known.inStep,
        inAll: known.inAll,
        weight: alphaOf(analysis, metric) / alpha,
      },
    ];
  });
  const evidence = metrics.map(({ weight: _, ...one }) => one);
  if (memory.failed !== undefined) return { verdict: "fail", because: memory.failed, metrics: evidence };
  const checked = share === undefined ? undefined : judgeShare(share, analysis.steps, memory.seen);
  const mismatch = checked?.kind === "mismatch" ? checked : undefined;
  const together = lnTogether([
    ...metrics.map(({ weight, lnFail }) => ({ weight, lnE: lnFail })),
    // E of what is not counted yet is 1.
    ...(analysis.reserved === undefined
      ? []
      : [{ weight: analysis.reserved / weightOfAll(analysis), lnE: 0 }]),
  ]);
  const isWorse = together >= Math.log(1 / alpha);
  const isExcused =
    mismatch === undefined ||
    (isWorse &&
      isExplained(mismatch.declared, memory.seen, slackOf(memory, mismatch.declared, longestRequestMs)));
  if (!isExcused) return { verdict: "inconclusive", share: mismatch, metrics: evidence };
  if (isWorse) {
    const own = (one: (typeof metrics)[number]) => Math.log(one.weight) + one.lnFail;
    const worst = metrics.toSorted((a, b) => own(b) - own(a));
    const because = worst.filter((one) => one.lnFail > 0).map(({ name }) => name);
    return { verdict: "fail", because, metrics: evidence };
  }
  const isEarly = memory.stepMs < longestRequestMs;
  const missing = metrics
    .filter(({ lnPass }) => isEarly || lnPass < Math.log(1 / beta))
    .map(({ name }) => name);
  if (missing.length > 0 || metrics.length === 0) return { verdict: "hold", missing, metrics: evidence };
  return { verdict: "pass", metrics: evidence };
}

/** A slot that answers late lacks what is under way, at most as long as a request may take; one that fails has what was asked again. */
function slackOf({ seen, stepMs, metrics }: LiveMemory, share: number, longestRequestMs: number): ShareSlack {
  const perMs = stepMs === 0 ? 0 : (share * seen.requests) / stepMs;
  return {
    lack: 2 * perMs * longestRequestMs,
    excess: Math.max(0, ...Object.values(metrics).map(({ inStep }) => inStep.newEvents)),
  };
}
