import type { GateVerdict } from "../../core/calls.ts";
import { lnTogether } from "../../core/statistics/alpha.ts";
import { shareInterval } from "../../core/statistics/intervals.ts";
import { defaultBeta, pairMargins } from "../../core/statistics/lines.ts";
import {
  lnPairsFail,
  lnPairsPass,
  noPairs,
  type PairCounts,
  withScore,
} from "../../core/statistics/pairs.ts";
import { judgeSegments } from "../../core/statistics/segments.ts";
import type { Asking } from "../asking.ts";
import type { GoldenCase } from "../cases/case.ts";
import { patientPauses } from "../live-care.ts";
import { excerpt, withAnswerMask, withMask } from "../mask.ts";
import type { ParityAsking, ParitySample } from "./ask.ts";
import { type Example, nothing, type ParityMemory } from "./memory.ts";
import type { Draw } from "./order.ts";
import type { Heard, Pair } from "./score.ts";
import { toldData, withFacts } from "./told.ts";

export interface ParityJudging {
  readonly against: ParityAsking["against"];
  readonly asking: Asking;
  /** Share of answers that may be others, beside those in which live differs from itself. */
  readonly tolerated: number;
  /** The gate's own part. */
  readonly alpha: number;
}

type Pairs = Extract<ParitySample, { kind: "pairs" }>;

const keptExamples = 20;
const keptCharacters = 300;
/** Of the pairs: where live gives no answer so often, nothing is compared. */
const mostLiveBroken = 0.1;
/** Inputs that live refuses, one and all, after which nobody waits for a better one. */
const refusedAtOnce = 50;

/** What a look adds, and what all of them together say. Pure. */
export function judgeParity(
  memory: ParityMemory,
  sample: ParitySample,
  judging: ParityJudging,
): { readonly verdict: GateVerdict; readonly memory: ParityMemory } {
  if (memory.failed !== undefined) return { memory, verdict: { verdict: "fail", evidence: memory.failed } };
  switch (sample.kind) {
    case "no-cases":
      return { memory, verdict: { verdict: "inconclusive", evidence: sample.why } };
    case "paused":
      return { memory, verdict: pausedVerdict(memory, sample.why) };
    case "pairs": {
      const next = withAnswers(memory, sample, judging);
      const verdict = verdictOf(next, sample, judging);
      return { verdict, memory: verdict.verdict === "fail" ? { ...next, failed: verdict.evidence } : next };
    }
  }
}

function pausedVerdict({ care }: ParityMemory, why: string): GateVerdict {
  return { verdict: care.pauses >= patientPauses ? "inconclusive" : "hold", evidence: why };
}

function withAnswers(memory: ParityMemory, sample: Pairs, { asking }: ParityJudging): ParityMemory {
  const isSame = memory.cases === sample.digest;
  let { all, differing, refused, liveBroken, told } = memory;
  const segments: Record<string, PairCounts> = { ...memory.segments };
  const examples: Example[] = [...memory.examples];
  for (const one of sample.asked) {
    if (one.kind === "unanswered") continue;
    if (one.kind === "refused") {
      refused = { count: refused.count + 1, why: one.why };
      continue;
    }
    const drawn = sample.draw.inputs[one.place];
    const asked = drawn === undefined ? undefined : sample.cases[drawn.index];
    if (drawn === undefined || asked === undefined) continue;
    const { score, why, size } = one.scored;
    if (drawn.byTraffic) {
      all = withScore(all, score);
      if (why !== undefined) differing += 1;
    }
    if (drawn.segment !== undefined) {
      segments[drawn.segment] = withScore(ownOf(segments, drawn.segment) ?? noPairs, score);
    }
    const { live, release } = one.pair;
    told = {
      live: withFacts(told.live, factsOf(live)),
      release: withFacts(told.release, factsOf(release)),
    };
    if (live.kind !== "value") liveBroken = { count: liveBroken.count + 1, why: live.why };
    if (score === 1 && why !== undefined) {
      examples.push(exampleOf(asking, asked, drawn.segment, one.pair, why, size));
    }
  }
  const places = sample.asked.map(({ place }) => place);
  return {
    ...nothing,
    cases: sample.digest,
    next: Math.max(isSame ? memory.next : 0, ...places.map((place) => place + 1)),
    again: [
      ...(isSame ? memory.again.filter((place) => !places.includes(place)) : []),
      ...sample.asked.flatMap(({ kind, place }) => (kind === "unanswered" ? [place] : [])),
    ],
    ...{ all: { ...all }, differing, segments, refused, liveBroken, told },
    asked: {
      live: memory.asked.live + sample.requests.live,
      release: memory.asked.release + sample.requests.release,
    },
    examples: examples.toSorted((a, b) => b.size - a.size).slice(0, keptExamples),
    care: sample.care,
  };
}

const factsOf = (heard: Heard) => (heard.kind === "value" ? heard.facts : undefined);

function exampleOf(
  { mask }: Asking,
  { id, input }: GoldenCase,
  segment: string | undefined,
  { live, release }: Pair,
  why: string,
  size: number,
): Example {
  // Words about an answer may quote any of it.
  const isHidden = mask.answer.length > 0 && [live, release].some(({ kind }) => kind === "value");
  const shown = (heard: Heard) =>
    heard.kind === "value"
      ? excerpt(withAnswerMask(heard.value, mask.answer), keptCharacters)
      : `no answer: ${heard.why}`;
  return {
    id: id.slice(0, 100),
    ...(segment === undefined ? {} : { segment: segment.slice(0, 100) }),
    input: excerpt(withMask(input, mask.input), keptCharacters),
    live: shown(live),
    release: shown(release),
    why: isHidden ? "another answer (masked)" : why.slice(0, keptCharacters),
    size: isHidden ? 0 : size,
  };
}

/** What the pairs come to, as numbers. */
interface Evidence {
  readonly lnAll: number;
  readonly lnPass: number;
  readonly lnSegments: number | undefined;
  /** By the evidence of both. */
  readonly lnTogether: number;
  /** Judged by themselves, and which of them send it back. */
  readonly named: readonly string[];
}

function evidenceOf(memory: ParityMemory, draw: Draw, { tolerated, alpha }: ParityJudging): Evidence {
  const lnAll = lnPairsFail(memory.all, tolerated);
  const lnPass = lnPairsPass(memory.all, tolerated + pairMargins.bad - pairMargins.fail);
  if (draw.judged.length === 0) return { lnAll, lnPass, lnSegments: undefined, lnTogether: lnAll, named: [] };
  const each = draw.judged.map((name) => lnPairsFail(ownOf(memory.segments, name) ?? noPairs, tolerated));
  const { lnMean, named } = judgeSegments(each, alpha / 2);
  return {
    lnAll,
    lnPass,
    lnSegments: lnMean,
    lnTogether: lnTogether([
      { weight: 0.5, lnE: lnAll },
      { weight: 0.5, lnE: lnMean },
    ]),
    named: named.map((index) => draw.judged[index] ?? ""),
  };
}

function verdictOf(memory: ParityMemory, sample: Pairs, judging: ParityJudging): GateVerdict {
  const { draw, strain } = sample;
  const { all, differing, liveBroken, refused, asked, examples } = memory;
  const found = evidenceOf(memory, draw, judging);
  const { low, high } = shareInterval(differing, all.pairs, judging.alpha);
  const data = {
    pairs: all.pairs,
    differing,
    /** Live's second answer was as its first, or as the release's. */
    againstRelease: all.newOnly,
    forRelease: all.liveOnly,
    tolerated: judging.tolerated,
    rate: all.pairs === 0 ? null : differing / all.pairs,
    interval: { low, high },
    lnFail: found.lnTogether,
    lnFailLimit: Math.log(1 / judging.alpha),
    lnPass: found.lnPass,
    lnPassLimit: Math.log(1 / defaultBeta),
    segments: segmentsData(memory, draw, judging, found.named),
    tooSmall: draw.tooSmall,
    refused: refused.count,
    requests: asked,
    told: { live: toldData(memory.told.live) ?? null, release: toldData(memory.told.release) ?? null },
    inputs: draw.inputs.length,
    examples,
  };
  const words = wordsOf(memory, { low, high }, judging.against);
  const end = (verdict: GateVerdict["verdict"], evidence: string): GateVerdict => ({
    verdict,
    evidence,
    data,
  });
  if (liveBroken.count > mostLiveBroken * Math.max(1, ...pairTotals(memory))) {
    return end(
      "inconclusive",
      `live gave no answer to ${liveBroken.count} inputs (${liveBroken.why}), so that there is too little to compare with; ${words}`,
    );
  }
  if (found.lnTogether >= Math.log(1 / judging.alpha)) {
    const where = found.named.length === 0 ? "" : ` in ${found.named.join(", ")}`;
    const [worst] = examples;
    const shown = worst === undefined ? "" : `; for example case ${worst.id}: ${worst.why}`;
    const what = judging.against === "right" ? "wrong where live is right" : "other answers than live's";
    return end("fail", `${what}${where}: ${words}${shown}`);
  }
  if (all.pairs === 0 && refused.count >= refusedAtOnce) {
    return end("inconclusive", `nothing to compare: live refuses the inputs (${refused.why})`);
  }
  const unanswered = sample.asked.flatMap((one) => (one.kind === "unanswered" ? [one.why] : []))[0];
  const isDone = memory.next >= draw.inputs.length && memory.again.length === 0;
  const isShown = found.lnPass >= Math.log(1 / defaultBeta);
  if (isShown && (isDone || draw.judged.length === 0)) {
    const small = draw.tooSmall.length === 0 ? "" : `; too small to judge: ${draw.tooSmall.join(", ")}`;
    return end("pass", `${words}${small}`);
  }
  if (unanswered !== undefined) return end("inconclusive", `${words}; ${unanswered}`);
  if (strain !== undefined) {
    const patience = memory.care.pauses >= patientPauses ? "inconclusive" : "hold";
    return end(patience, `live is left alone for 30 s: ${strain}; ${words}`);
  }
  if (!isDone) return end("hold", `${words}; ${draw.inputs.length} inputs are to be asked`);
  if (all.pairs === 0 && refused.count > 0) {
    return end("inconclusive", `nothing to compare: live refuses the inputs (${refused.why})`);
  }
  return end("inconclusive", `${words}; ${notShown(memory, judging)}`);
}

/** The largest number of pairs of which live's missing answers may be a part. */
function pairTotals({ all, segments }: ParityMemory): number[] {
  const inSegments = Object.values(segments).reduce((sum, { pairs }) => sum + pairs, 0);
  return [all.pairs, inSegments];
}

function segmentsData(
  { segments }: ParityMemory,
  draw: Draw,
  { tolerated }: ParityJudging,
  named: readonly string[],
): readonly object[] {
  return draw.judged.map((name) => {
    const counts = ownOf(segments, name) ?? noPairs;
    const { pairs, newOnly, liveOnly } = counts;
    return {
      ...{ name, pairs, againstRelease: newOnly, forRelease: liveOnly },
      lnFail: lnPairsFail(counts, tolerated),
      isNamed: named.includes(name),
    };
  });
}

function wordsOf(
  { all, differing, refused }: ParityMemory,
  { low, high }: { readonly low: number; readonly high: number },
  against: ParityAsking["against"],
): string {
  const { pairs, newOnly, liveOnly } = all;
  const without = refused.count === 0 ? "" : `; ${refused.count} inputs are refused by live (${refused.why})`;
  if (pairs === 0) return `no pair of answers yet${without}`;
  if (against === "right") {
    const live = differing - newOnly + liveOnly;
    const only = `the release alone ${newOnly} times, live alone ${liveOnly} times`;
    return `${differing} of ${pairs} answers are wrong (${percent(low)} to ${percent(high)}), ${live} of live's: ${only}${without}`;
  }
  const rate = `${percent(low)} to ${percent(high)}`;
  const voted = `${newOnly} times against the release, ${liveOnly} times for it`;
  const again = newOnly + liveOnly === 0 ? "" : `, asked again live votes ${voted}`;
  return `${differing} of ${pairs} answers differ from live's (${rate})${again}${without}`;
}

/** What the inputs were too few for. */
function notShown({ all }: ParityMemory, { tolerated, against }: ParityJudging): string {
  const bad = tolerated + pairMargins.bad - pairMargins.fail;
  const isEnough = (more: number) =>
    lnPairsPass({ ...all, pairs: all.pairs + more }, bad) >= Math.log(1 / defaultBeta);
  let more = 1;
  while (!isEnough(more) && more < 1_000_000) more *= 2;
  let least = more / 2;
  while (more - least > 1) {
    const middle = Math.floor((more + least) / 2);
    if (isEnough(middle)) more = middle;
    else least = middle;
  }
  const than = against === "right" ? "wrong more than live" : "beside live's own";
  return `not shown to be under ${percent(bad)} ${than}: at least ${Math.ceil(more)} more inputs are needed`;
}

/** Segments are called as people's data says: `constructor` is one like any other. */
function ownOf<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
