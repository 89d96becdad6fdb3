import {
  lnPairsFail,
  noPairs,
  type PairCounts,
  scoreOf,
  withScore,
} from "../../src/core/statistics/pairs.ts";
import { judgeSegments } from "../../src/core/statistics/segments.ts";
import { randomOf } from "../../src/core/statistics/simulation.fixture.ts";
import { isFlaggedByDiffy } from "./peers.ts";

/** Answers of ten fields to the same requests, each twice by live and once by the new slot. */
export interface Answers {
  readonly name: string;
  readonly requests: number;
  /** Chance that two answers of one build differ in a field. */
  readonly noise: number;
  /** Chance that the new build's first field is different on top of that. */
  readonly worse: number;
}

export const answers: readonly Answers[] = [
  { name: "equal, 1 % of noise, 500 requests", requests: 500, noise: 0.01, worse: 0 },
  { name: "equal, 1 % of noise, 5,000 requests", requests: 5000, noise: 0.01, worse: 0 },
  { name: "equal, 5 % of noise, 500 requests", requests: 500, noise: 0.05, worse: 0 },
  {
    name: "one field worse by 10 points, 1 % of noise, 500 requests",
    requests: 500,
    noise: 0.01,
    worse: 0.1,
  },
  {
    name: "one field worse by 5 points, 1 % of noise, 2,000 requests",
    requests: 2000,
    noise: 0.01,
    worse: 0.05,
  },
];

const fields = 10;
const margin = 0.01;
/** Parity beside live analysis, its segments: a quarter of 0.05. */
const alpha = 0.0125;

/** Parts of the runs in which some field is refused: by Diffy at the end, by ours at any of fifty looks. */
export function comparedAnswers(
  { requests, noise, worse }: Answers,
  runs: number,
): { readonly diffy: number; readonly ours: number } {
  const odd = 1 - Math.sqrt(1 - noise);
  let diffy = 0;
  let ours = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomOf(9_000_011 + run);
    const counts: PairCounts[] = Array.from({ length: fields }, () => noPairs);
    const raw = counts.map(() => 0);
    const noisy = counts.map(() => 0);
    let isRefused = false;
    for (let request = 1; request <= requests; request++) {
      for (let field = 0; field < fields; field++) {
        // Live's first answer is in both comparisons: where it is the odd one, both differ.
        const isFirstOdd = random() < odd;
        const differs = isFirstOdd || random() < odd + (field === 0 ? worse : 0);
        const differsItself = isFirstOdd || random() < odd;
        if (differs) raw[field] = (raw[field] ?? 0) + 1;
        if (differsItself) noisy[field] = (noisy[field] ?? 0) + 1;
        counts[field] = withScore(counts[field] ?? noPairs, scoreOf(differs, differsItself));
      }
      if (isRefused || request % (requests / 50) !== 0) continue;
      const evidence = counts.map((one) => lnPairsFail(one, margin));
      isRefused = judgeSegments(evidence, alpha).fails;
    }
    if (isRefused) ours++;
    if (raw.some((count, field) => isFlaggedByDiffy({ requests, raw: count, noise: noisy[field] ?? 0 })))
      diffy++;
  }
  return { diffy: diffy / runs, ours: ours / runs };
}
