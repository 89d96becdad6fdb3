import { describe, expect, test } from "vitest";
import { alphaAfter, boundAfter, sharedOut } from "./alpha.ts";
import { autoSteps, secondsToSee } from "./auto-steps.ts";
import { failBets, passBets } from "./bets.ts";
import { type Block, ofClients } from "./block.ts";
import { jensenShannonDistance, stabilityIndex, stabilityWithoutDrift } from "./drift.ts";
import { clopperPearson, quantileInterval, shareInterval } from "./intervals.ts";
import { errorLines } from "./lines.ts";
import { lnMeanExp } from "./logarithms.ts";
import { halfWidth, lowerLimit, mixtureWidth } from "./mean.ts";
import { lnOneSample, oneSampleFail } from "./one-sample.ts";
import {
  exactMcNemar,
  lnPairsFail,
  lnPairsPass,
  noPairs,
  type PairScore,
  scoreAgain,
  withScore,
} from "./pairs.ts";
import {
  divergencePerRequest,
  firstPassage,
  requestsUntilFail,
  requestsUntilPass,
  waldBound,
} from "./power.ts";
import { lnIncrement, projectedLive } from "./projection.ts";
import { adjusted, judgeSegments, smallestSegment } from "./segments.ts";
import { lnBetaBinomial } from "./share-check.ts";
import { capOf, lnEvidence, noShares, type ShareTest, startWeights, withBlock } from "./share-process.ts";
import { casesOf, expectClose, vectorNames } from "./vectors.fixture.ts";

type Numbers = readonly [number, number, number, number];

const blockOf = ([newEvents, newRequests, liveEvents, liveRequests]: Numbers): Block => ({
  newEvents,
  newRequests,
  liveEvents,
  liveRequests,
});

/** Vectors that another test has. */
const elsewhere = ["kayentaMannWhitney"];

const tested: Record<string, () => void> = {
  increment: () => {
    interface In {
      errorsNew: number;
      requestsNew: number;
      errorsLive: number;
      requestsLive: number;
      expectNew: number;
      expectLive: number;
      rho: number;
      delta: number;
    }
    for (const one of casesOf<In, { projectedLive: number | null; logE: number }>("increment")) {
      const block = blockOf([one.in.errorsNew, one.in.requestsNew, one.in.errorsLive, one.in.requestsLive]);
      const expected = { new: one.in.expectNew, live: one.in.expectLive };
      const line = { ratio: one.in.rho, margin: one.in.delta };
      if (one.out.projectedLive !== null) {
        expectClose(projectedLive(block, expected, line), one.out.projectedLive, 1e-10);
      }
      expectClose(lnIncrement(block, expected, line), one.out.logE, 1e-10);
    }
  },
  mixture: () => {
    interface In {
      kind: "fail" | "fail capped" | "pass";
      intervals: Numbers[];
      alpha: number;
      rho: number;
      delta: number;
    }
    for (const one of casesOf<In, { logE: number[] }>("mixture")) {
      const { kind, alpha, rho, delta } = one.in;
      const test: ShareTest = {
        line: { ratio: rho, margin: delta },
        bets: kind === "pass" ? passBets : failBets(errorLines.bad),
        ...(kind === "fail capped" ? { cap: capOf(alpha) } : {}),
      };
      let memory = noShares(test);
      for (const [index, numbers] of one.in.intervals.entries()) {
        memory = withBlock(test, memory, blockOf(numbers));
        expectClose(lnEvidence(test, memory), one.out.logE[index] ?? Number.NaN, 1e-10);
      }
    }
  },
  lateStart: () => {
    interface In {
      steps: Numbers[][];
      startWeights: number[];
      alpha: number;
    }
    for (const one of casesOf<In, { logE: number[] }>("lateStart")) {
      const starts = startWeights(one.in.steps.length);
      for (const [index, weight] of one.in.startWeights.entries()) expectClose(starts[index], weight);
      const test: ShareTest = {
        line: errorLines.fail,
        bets: failBets(errorLines.bad),
        cap: capOf(one.in.alpha),
        starts,
      };
      let memory = noShares(test);
      const found = one.in.steps.flatMap((blocks, step) =>
        blocks.map((numbers) => {
          // Over JSON, as a record keeps it: nothing is lost.
          memory = JSON.parse(JSON.stringify(withBlock(test, memory, blockOf(numbers), step)));
          return lnEvidence(test, memory);
        }),
      );
      for (const [index, lnE] of found.entries()) expectClose(lnE, one.out.logE[index] ?? Number.NaN, 1e-10);
    }
  },
  oneSample: () => {
    for (const one of casesOf<{ errors: number; requests: number; slo: number }, { logE: number }>(
      "oneSample",
    )) {
      const { errors, requests, slo } = one.in;
      expectClose(lnOneSample(oneSampleFail(slo), { events: errors, requests }), one.out.logE, 1e-10);
    }
  },
  pairs: () => {
    interface In {
      newOnly: number;
      liveOnly: number;
      pairs: number;
      margin: number;
    }
    for (const one of casesOf<In, { logE: number; exactMcNemarOneSided: number }>("pairs")) {
      expectClose(lnPairsFail(one.in, one.in.margin), one.out.logE, 1e-10);
      expectClose(exactMcNemar(one.in), one.out.exactMcNemarOneSided, 1e-10);
    }
  },
  betaBinomial: () => {
    interface In {
      count: number;
      n: number;
      p: number;
      kappa: number;
    }
    for (const one of casesOf<In, { logE: number }>("betaBinomial")) {
      const { count, n, p, kappa } = one.in;
      expectClose(lnBetaBinomial(count, n, p, kappa), one.out.logE);
    }
  },
  shareInterval: () => {
    interface In {
      count: number;
      n: number;
      alpha: number;
      kappa: number;
    }
    interface Out {
      low: number;
      high: number;
      clopperPearsonLow: number;
      clopperPearsonHigh: number;
    }
    for (const one of casesOf<In, Out>("shareInterval")) {
      const { count, n, alpha, kappa } = one.in;
      const interval = shareInterval(count, n, alpha, kappa);
      expectClose(interval.low, one.out.low);
      expectClose(interval.high, one.out.high);
      const fixed = clopperPearson(count, n, alpha);
      expectClose(fixed.low, one.out.clopperPearsonLow);
      expectClose(fixed.high, one.out.clopperPearsonHigh);
    }
  },
  quantileInterval: () => {
    interface In {
      n: number;
      p: number;
      alpha: number;
      kappa: number;
    }
    for (const one of casesOf<In, object>("quantileInterval")) {
      const { n, p, alpha, kappa } = one.in;
      expect(quantileInterval(n, p, alpha, kappa)).toEqual(one.out);
    }
  },
  asymptotic: () => {
    interface In {
      n: number;
      mean: number;
      variance: number;
      alpha: number;
      tOpt: number;
    }
    interface Out {
      rho2OneSided: number;
      lower: number;
      rho2TwoSided: number;
      halfWidthTwoSided: number;
    }
    for (const one of casesOf<In, Out>("asymptotic")) {
      const { n, mean, variance, alpha, tOpt } = one.in;
      expectClose(mixtureWidth(2 * alpha, tOpt), one.out.rho2OneSided);
      expectClose(lowerLimit({ count: n, mean, variance }, alpha, tOpt), one.out.lower);
      expectClose(mixtureWidth(alpha, tOpt), one.out.rho2TwoSided);
      expectClose(halfWidth(n, variance, alpha, tOpt), one.out.halfWidthTwoSided);
    }
  },
  closedTesting: () => {
    for (const one of casesOf<{ e: number[] }, { adjusted: number[]; mean: number }>("closedTesting")) {
      const evidence = one.in.e.map(Math.log);
      for (const [index, lnE] of adjusted(evidence).entries()) {
        expectClose(Math.exp(lnE), one.out.adjusted[index] ?? Number.NaN, 1e-10);
      }
      expectClose(Math.exp(lnMeanExp(evidence)), one.out.mean, 1e-10);
    }
  },
  driftSize: () => {
    interface Out {
      psi: number;
      psiNoDriftMean: number;
      jsDistance: number;
    }
    for (const one of casesOf<{ new: number[]; live: number[] }, Out>("driftSize")) {
      expectClose(stabilityIndex(one.in), one.out.psi);
      expectClose(stabilityWithoutDrift(one.in), one.out.psiNoDriftMean);
      expectClose(jensenShannonDistance(one.in), one.out.jsDistance);
    }
  },
  inverseGaussianQuantile: () => {
    interface In {
      q: number;
      growth: number;
      variance: number;
      barrier: number;
    }
    for (const one of casesOf<In, { n: number }>("inverseGaussianQuantile")) {
      expectClose(firstPassage(one.in.q, one.in, one.in.barrier), one.out.n);
    }
  },
  plan: () => {
    interface In {
      live: number;
      new: number;
      share: number;
      alpha: number;
      direction: "fail" | "pass";
    }
    interface Out {
      requests: Record<string, number>;
      klPerRequest: number;
      waldBound: number;
    }
    for (const one of casesOf<In, Out>("plan")) {
      const { alpha, direction } = one.in;
      const line = direction === "fail" ? errorLines.fail : errorLines.bad;
      expectClose(divergencePerRequest(one.in, line), one.out.klPerRequest);
      expectClose(waldBound(one.in, line, alpha), one.out.waldBound);
      for (const [probability, requests] of Object.entries(one.out.requests)) {
        const found =
          direction === "fail"
            ? requestsUntilFail(Number(probability), one.in, errorLines, { alpha })
            : requestsUntilPass(Number(probability), one.in, errorLines, alpha);
        expectClose(found, requests);
      }
    }
  },
  planCapped: () => {
    interface In {
      live: number;
      new: number;
      share: number;
      alpha: number;
      startWeight: number;
      requestsPerBlock: number;
      q: number;
    }
    for (const one of casesOf<In, { requests: number }>("planCapped")) {
      const { alpha, startWeight, requestsPerBlock, q } = one.in;
      const capped = { cap: capOf(alpha), requestsPerBlock };
      const found = requestsUntilFail(q, one.in, errorLines, { alpha, startWeight, capped });
      expectClose(found, one.out.requests);
    }
  },
  pairsAgain: () => {
    interface In {
      first: string;
      new: string[];
      second: (string | null)[];
      margin: number;
    }
    interface Out {
      score: number[];
      newOnly: number;
      liveOnly: number;
      pairs: number;
      toLive: number;
      logE: number;
    }
    for (const one of casesOf<In, Out>("pairsAgain")) {
      const scores = one.in.new.map((answer, index): PairScore => {
        if (answer === one.in.first) return 0;
        const second = one.in.second[index];
        return scoreAgain({ secondIsFirst: second === one.in.first, secondIsNew: second === answer });
      });
      expect(scores).toEqual(one.out.score);
      const counts = scores.reduce(withScore, noPairs);
      const { newOnly, liveOnly, pairs } = one.out;
      expect(counts).toEqual({ newOnly, liveOnly, pairs });
      expect(pairs + one.in.new.filter((answer) => answer !== one.in.first).length).toBe(one.out.toLive);
      expectClose(lnPairsFail(counts, one.in.margin), one.out.logE, 1e-10);
    }
  },
  pairsPass: () => {
    interface In {
      newOnly: number;
      liveOnly: number;
      pairs: number;
      badMargin: number;
    }
    for (const one of casesOf<In, { logE: number }>("pairsPass")) {
      expectClose(lnPairsPass(one.in, one.in.badMargin), one.out.logE, 1e-10);
    }
  },
  segments: () => {
    interface In {
      segments: { newOnly: number; liveOnly: number; pairs: number; times: number }[];
      margin: number;
      alpha: number;
    }
    for (const one of casesOf<In, { logMeanE: number; fail: boolean; named: number[] }>("segments")) {
      const evidence = one.in.segments.flatMap(({ times, ...counts }) =>
        Array.from({ length: times }, () => lnPairsFail(counts, one.in.margin)),
      );
      const { lnMean, fails, named } = judgeSegments(evidence, one.in.alpha);
      expectClose(lnMean, one.out.logMeanE, 1e-10);
      expect({ fail: fails, named }).toEqual({ fail: one.out.fail, named: one.out.named });
    }
  },
  smallestSegment: () => {
    interface In {
      segments: number;
      alpha: number;
      margin: number;
    }
    for (const one of casesOf<In, { pairs: number }>("smallestSegment")) {
      expect(smallestSegment(one.in.segments, one.in.alpha, one.in.margin)).toBe(one.out.pairs);
    }
  },
  alphaShares: () => {
    interface In {
      alpha: number;
      weights: Record<string, number>;
    }
    for (const one of casesOf<In, { alphaOfGate: Record<string, number> }>("alphaShares")) {
      const parts = sharedOut(one.in.alpha, one.in.weights);
      expect(Object.keys(parts)).toEqual(Object.keys(one.out.alphaOfGate));
      for (const [gate, alpha] of Object.entries(one.out.alphaOfGate)) expectClose(parts[gate], alpha, 1e-12);
    }
  },
  alphaAfterRestarts: () => {
    for (const one of casesOf<{ alpha: number; lostStates: number }, { alphaNow: number; bound: number }>(
      "alphaAfterRestarts",
    )) {
      expectClose(alphaAfter(one.in.lostStates, one.in.alpha), one.out.alphaNow, 1e-12);
      expectClose(boundAfter(one.in.lostStates, one.in.alpha), one.out.bound, 1e-12);
    }
  },
  ownRequests: () => {
    interface In {
      counted: Numbers;
      own: Numbers;
      proofInBlock: boolean;
    }
    for (const one of casesOf<In, { block: Numbers | null }>("ownRequests")) {
      const { counted, own, proofInBlock } = one.in;
      const expected = one.out.block === null ? undefined : blockOf(one.out.block);
      expect(ofClients(blockOf(counted), blockOf(own), { proofInBlock })).toEqual(expected);
    }
  },
  autoSteps: () => {
    interface In {
      requestsPerSecond: number;
      alpha: number;
      minutes: number;
      steps: number;
      metrics: { live: number; rho0: number; delta0: number; rho1: number; delta1: number }[];
    }
    interface Out {
      shares: number[];
      startWeights: number[];
      seconds: number[];
      seen: boolean[];
    }
    for (const one of casesOf<In, Out>("autoSteps")) {
      const metrics = one.in.metrics.map(({ live, rho0, delta0, rho1, delta1 }) => ({
        live,
        lines: { fail: { ratio: rho0, margin: delta0 }, bad: { ratio: rho1, margin: delta1 } },
      }));
      const steps = autoSteps({ ...one.in, metrics });
      expect(steps.map(({ share }) => share)).toEqual(one.out.shares);
      expect(steps.map(({ seconds }) => seconds)).toEqual(one.out.seconds);
      expect(steps.map(({ seconds, neededSeconds }) => neededSeconds <= seconds)).toEqual(one.out.seen);
      expect(startWeights(steps.length)).toEqual(one.out.startWeights);
      for (const { neededSeconds, share } of steps) {
        expect(neededSeconds).toBeGreaterThanOrEqual(secondsToSee(share, 1, { ...one.in, metrics }));
      }
    }
  },
};

describe("agreement with the reference values", () => {
  test("every vector has a test", () => {
    expect([...Object.keys(tested), ...elsewhere].sort()).toEqual([...vectorNames].sort());
  });

  test.each(Object.entries(tested))("%s", (_, check) => {
    check();
  });
});
