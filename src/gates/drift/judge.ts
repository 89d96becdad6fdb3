import type { GateVerdict } from "../../core/calls.ts";
import {
  type BinnedBlock,
  driftTest,
  isAlike,
  jensenShannonDistance,
  lnDrift,
  noDrift,
  noneAlike,
  stabilityIndex,
  stabilityWithoutDrift,
  withAlike,
  withPredictions,
} from "../../core/statistics/drift.ts";
import { driftBadLine } from "../../core/statistics/lines.ts";
import type { Mask } from "../mask.ts";
import type { Answer, DriftSample } from "./ask.ts";
import {
  type Bins,
  binCount,
  binNames,
  binOf,
  binsOf,
  countedAs,
  type PredictionKind,
  predictionKindOf,
  vectorOf,
} from "./bins.ts";
import { firstOf } from "./inputs.ts";
import type { DriftMemory, DriftPoint } from "./memory.ts";

export interface DriftJudging {
  /** What predictions are; `undefined`: as live's first one looks. */
  readonly as: PredictionKind | undefined;
  /** Whether a drift sends the release back. */
  readonly fails: boolean;
  /** The gate's own part; where a drift sends nothing back, the chance to see one where there is none. */
  readonly alpha: number;
  readonly asking: { readonly mask: Mask };
}

type Answers = Extract<DriftSample, { kind: "answers" }>;

const patientPauses = 5;
const keptPoints = 40;
const digits = (value: number, count: number) => Number(value.toPrecision(count));

/** What a look adds, and what all of them together say. Pure. */
export function judgeDrift(
  memory: DriftMemory,
  sample: DriftSample,
  judging: DriftJudging,
): { readonly verdict: GateVerdict; readonly memory: DriftMemory } {
  switch (sample.kind) {
    case "no-cases":
      return { memory, verdict: { verdict: "inconclusive", evidence: sample.why } };
    case "over":
      return { memory, verdict: foundVerdict(memory.found ?? "", judging) };
    case "paused": {
      const verdict = memory.care.pauses >= patientPauses ? "inconclusive" : "hold";
      return { memory, verdict: { verdict, evidence: sample.why } };
    }
    case "answers": {
      const next = withAnswers(memory, sample, judging);
      const verdict = verdictOf(next, sample, judging);
      const isFound = next.bins !== undefined && isDrift(next, judging);
      return { verdict, memory: isFound ? { ...next, found: wordsOf(next, next.bins, judging) } : next };
    }
  }
}

function withAnswers(memory: DriftMemory, sample: Answers, judging: DriftJudging): DriftMemory {
  const answered = sample.asked.flatMap((one) => (one.kind === "answers" ? [one] : []));
  const refusals = answered.flatMap(({ live }) => (live.kind === "refused" ? [live.why] : []));
  const of = answered.filter(({ live }) => live.kind !== "refused");
  const { asked, refused } = memory;
  const next: DriftMemory = {
    ...memory,
    cases: sample.digest,
    next: (memory.cases === sample.digest ? memory.next : 0) + answered.length,
    asked: {
      live: asked.live + sample.requests.live,
      release: asked.release + sample.requests.release,
    },
    refused: { count: refused.count + refusals.length, why: refusals[0] ?? refused.why },
    care: sample.care,
  };
  return next.bins === undefined
    ? withFirst(
        next,
        of.map(({ live }) => live),
        sample.inputs,
        judging,
      )
    : withBinned(next, next.bins, of, judging);
}

/** Live's first predictions say what predictions are, and fix the bins. */
function withFirst(
  memory: DriftMemory,
  answers: readonly Answer[],
  inputs: number,
  { as, alpha }: DriftJudging,
): DriftMemory {
  const all = firstOf(inputs);
  let { kind, sum, summed } = memory;
  const first = [...memory.first];
  for (const answer of answers) {
    if (answer.kind !== "value") continue;
    kind ??= as ?? predictionKindOf(answer.value);
    if (kind === "embedding" && summed < Math.floor(all / 2)) {
      const vector = vectorOf(answer.value);
      if (vector === undefined || (summed > 0 && vector.length !== sum.length)) continue;
      sum = vector.map((value, index) => digits(value + (sum[index] ?? 0), 5));
      summed += 1;
      continue;
    }
    const counted = countedAs(kind, answer.value, sum);
    if (counted !== undefined) first.push(counted);
  }
  const learned = { ...memory, ...(kind === undefined ? {} : { kind }), first, sum, summed };
  if (kind === undefined || first.length + summed < all) return learned;
  const bins = binsOf(kind, first);
  const count = binCount(bins);
  const zeros = Array.from({ length: count }, () => 0);
  return {
    ...learned,
    first: [],
    bins,
    counts: { new: zeros, live: zeros },
    drift: noDrift(driftTest(alpha), count),
    alike: noneAlike(count),
  };
}

/** One look is one block of the test. */
function withBinned(
  memory: DriftMemory,
  bins: Bins,
  answered: readonly { readonly live: Answer; readonly release: Answer | undefined }[],
  { alpha }: DriftJudging,
): DriftMemory {
  const { kind = "label", sum, counts, drift, alike, history } = memory;
  const pairs = answered.flatMap(({ live, release }) => (release === undefined ? [] : [{ live, release }]));
  if (pairs.length === 0 || drift === undefined) return memory;
  const counted = (of: readonly Answer[]): readonly number[] => {
    const found = Array.from({ length: binCount(bins) }, () => 0);
    for (const answer of of) {
      const bin = binOf(bins, answer.kind === "value" ? countedAs(kind, answer.value, sum) : undefined);
      found[bin] = (found[bin] ?? 0) + 1;
    }
    return found;
  };
  const block: BinnedBlock = {
    new: counted(pairs.map(({ release }) => release)),
    live: counted(pairs.map(({ live }) => live)),
  };
  const both = (a: readonly number[], b: readonly number[]) => a.map((one, index) => one + (b[index] ?? 0));
  const all = { new: both(counts.new, block.new), live: both(counts.live, block.live) };
  return {
    ...memory,
    counts: all,
    drift: withPredictions(driftTest(alpha), drift, block),
    alike: withAlike(alike, block),
    history: thinned([...history, pointOf(all)]),
  };
}

function thinned(points: readonly DriftPoint[]): readonly DriftPoint[] {
  return points.length <= keptPoints
    ? points
    : points.filter((_, index) => index % 2 === 0 || index === points.length - 1);
}

function pointOf(counts: DriftMemory["counts"]): DriftPoint {
  return { at: predictionsIn(counts), ...sizesOf(counts) };
}

/** How far the distributions are apart, for people: never what is judged by. */
function sizesOf(counts: DriftMemory["counts"]): Omit<DriftPoint, "at"> {
  // Bins that nobody has any prediction in say nothing, and would count as noise.
  const seen = counts.new.map((one, bin) => one + (counts.live[bin] ?? 0) > 0);
  const only = (of: readonly number[]) => of.filter((_, bin) => seen[bin]);
  const block = { new: only(counts.new), live: only(counts.live) };
  const stability = Math.max(0, stabilityIndex(block) - stabilityWithoutDrift(block));
  return { stability: digits(stability, 4), distance: digits(jensenShannonDistance(block), 4) };
}

function predictionsIn({ new: fresh }: DriftMemory["counts"]): number {
  return fresh.reduce((sum, one) => sum + one, 0);
}

function isDrift({ drift }: DriftMemory, { alpha }: DriftJudging): boolean {
  return drift !== undefined && lnDrift(driftTest(alpha), drift) >= Math.log(1 / alpha);
}

function verdictOf(memory: DriftMemory, sample: Answers, judging: DriftJudging): GateVerdict {
  const { bins, next, refused, care } = memory;
  const unanswered = sample.asked.flatMap((one) => (one.kind === "unanswered" ? [one.why] : []))[0];
  const isDone = next >= sample.inputs;
  const words = bins === undefined ? firstInWords(memory, sample.inputs) : wordsOf(memory, bins, judging);
  const left = refused.count === 0 ? "" : `; ${refused.count} inputs are refused by live (${refused.why})`;
  const end = (verdict: GateVerdict["verdict"], evidence: string): GateVerdict => ({
    verdict,
    evidence: `${evidence}${left}`,
    data: dataOf(memory, sample, judging),
  });
  if (bins !== undefined && isDrift(memory, judging)) return foundVerdict(words, judging, end);
  if (bins !== undefined && isAlike(memory.alike)) return end("pass", words);
  if (unanswered !== undefined) return end("inconclusive", `${words}; ${unanswered}`);
  if (sample.strain !== undefined) {
    const patience = care.pauses >= patientPauses ? "inconclusive" : "hold";
    return end(patience, `live is left alone for 30 s: ${sample.strain}; ${words}`);
  }
  if (!isDone) return end("hold", `not shown yet: ${words}; ${sample.inputs} inputs are to be asked`);
  const why =
    bins === undefined
      ? `live gave too few predictions to compare with: ${words}`
      : `not shown: predictions within ${driftBadLine.ratio} x live's + ${100 * driftBadLine.margin} points in each bin, the inputs are used up; ${words}`;
  return end("inconclusive", why);
}

function foundVerdict(
  words: string,
  { fails }: DriftJudging,
  end: (verdict: GateVerdict["verdict"], evidence: string) => GateVerdict = (verdict, evidence) => ({
    verdict,
    evidence,
  }),
): GateVerdict {
  if (fails) return end("fail", `the predictions have drifted: ${words}`);
  return end("inconclusive", `the predictions have drifted, which those of a better model do, too: ${words}`);
}

function firstInWords({ first, summed }: DriftMemory, inputs: number): string {
  return `live has given ${first.length + summed} of the ${firstOf(inputs)} predictions that fix what is counted`;
}

function wordsOf({ counts }: DriftMemory, bins: Bins, { asking }: DriftJudging): string {
  const all = predictionsIn(counts);
  if (all === 0) return "no prediction of the release yet";
  const names = binNames(bins, asking.mask.answer.length > 0);
  const of = (counted: readonly number[], bin: number) => (counted[bin] ?? 0) / all;
  const apart = names
    .map((name, bin) => ({ name, new: of(counts.new, bin), live: of(counts.live, bin) }))
    .toSorted((a, b) => Math.abs(b.new - b.live) - Math.abs(a.new - a.live));
  const [worst] = apart;
  const { stability, distance } = sizesOf(counts);
  const shown =
    worst === undefined
      ? ""
      : `most apart is "${worst.name}": ${percent(worst.new)} of the release's, ${percent(worst.live)} of live's; `;
  return `${shown}stability index ${stability}, Jensen-Shannon distance ${distance}, by ${all} predictions of each`;
}

/** The report draws what has bins and what has places. */
function dataOf(memory: DriftMemory, sample: Answers, judging: DriftJudging): Record<string, unknown> {
  const { bins, counts, drift, history, kind, asked, refused } = memory;
  const about = { predictions: kind ?? null, inputs: sample.inputs, requests: asked, refused: refused.count };
  if (bins === undefined || drift === undefined) return about;
  const names = binNames(bins, judging.asking.mask.answer.length > 0);
  return {
    ...about,
    predictionsOfEach: predictionsIn(counts),
    lnDrift: digits(lnDrift(driftTest(judging.alpha), drift), 6),
    lnDriftLimit: digits(Math.log(1 / judging.alpha), 6),
    ...(predictionsIn(counts) === 0 ? {} : sizesOf(counts)),
    distribution: names.map((label, bin) => ({ label, new: counts.new[bin], live: counts.live[bin] })),
    apart: history,
  };
}

function percent(share: number): string {
  return `${digits(share * 100, 2)} %`;
}
