import { describe, expect, test } from "vitest";
import type { Block } from "./block.ts";
import { errorLines, slowLines } from "./lines.ts";
import {
  judgeLive,
  type LiveAnalysis,
  type LiveMemory,
  type LiveSample,
  noTraffic,
} from "./live-analysis.ts";
import { drawBlock, randomOf } from "./simulation.fixture.ts";

const analysis: LiveAnalysis = {
  metrics: [
    { name: "errors", lines: errorLines },
    { name: "slow", lines: slowLines },
  ],
  steps: 2,
};

const sampleOf = (blocks: Record<string, Block>, step = 0, share: number | undefined = 0.5): LiveSample => ({
  step,
  share,
  durationMs: 10_000,
  blocks,
});

const block = (newEvents: number, liveEvents: number, newRequests = 500): Block => ({
  newEvents,
  newRequests,
  liveEvents,
  liveRequests: 500,
});

/** Judges the samples one after the other, each with what a record would have kept. */
function judged(samples: readonly LiveSample[], of = analysis, from: LiveMemory = noTraffic(of)) {
  let memory = from;
  const verdicts = samples.map((sample) => {
    const next = judgeLive(of, JSON.parse(JSON.stringify(memory)), sample);
    memory = next.memory;
    return next.verdict;
  });
  return { memory, verdicts, last: verdicts.at(-1) };
}

const repeated = (count: number, sample: LiveSample) => Array.from({ length: count }, () => sample);
const fine = sampleOf({ errors: block(2, 2), slow: block(20, 20) });

describe("the live analysis", () => {
  test("holds until every metric is shown to be under its bad line, then passes", () => {
    const { verdicts } = judged(repeated(60, fine));
    expect(verdicts[0]).toMatchObject({ verdict: "hold", missing: ["errors"] });
    expect(verdicts.at(-1)?.verdict).toBe("pass");
    expect(verdicts.map(({ verdict }) => verdict)).not.toContain("fail");
  });

  test("does not pass early before the longest request could have ended", () => {
    const slowRequests = { ...analysis, longestRequestMs: 550_000 };
    const { verdicts } = judged(repeated(60, fine), slowRequests);
    expect(verdicts.findIndex(({ verdict }) => verdict === "pass")).toBe(54);
  });

  test("fails for good, and names the metrics, the worst first", () => {
    const bad = sampleOf({ errors: block(2, 2), slow: block(120, 20) });
    const { memory, last } = judged(repeated(12, bad));
    expect(last).toMatchObject({ verdict: "fail", because: ["slow"] });
    expect(judged(repeated(50, fine), analysis, memory).last).toMatchObject({
      verdict: "fail",
      because: ["slow"],
    });
  });

  test("one block, however bad, sends nothing back", () => {
    expect(judged([sampleOf({ errors: block(500, 0), slow: block(500, 0) })]).last?.verdict).toBe("hold");
  });

  test("evidence for a fail goes on through the steps, that for a pass begins anew", () => {
    const first = judged(repeated(60, fine));
    const { last: second, memory } = judged([{ ...fine, step: 1 }], analysis, first.memory);
    expect(second?.verdict).toBe("hold");
    expect(second?.metrics[0]?.lnPass).toBeLessThan(1);
    expect(second?.metrics[0]?.inStep.newRequests).toBe(500);
    expect(second?.metrics[0]?.inAll.newRequests).toBe(61 * 500);
    // What the first start has lost over sixty blocks is not forgotten.
    expect(memory.metrics.errors?.fail.evidence[0]?.at(-1)).toBeLessThan(-10);
  });

  test("a metric that is not counted never passes, and nothing at all neither", () => {
    expect(judged(repeated(80, sampleOf({ errors: block(0, 0) }))).last).toMatchObject({
      verdict: "hold",
      missing: ["slow"],
    });
    expect(judged(repeated(80, sampleOf({}))).last?.verdict).toBe("hold");
    expect(judged(repeated(80, sampleOf({})), { metrics: [], steps: 1 }).last?.verdict).toBe("hold");
  });

  test("a slot without requests shows nothing", () => {
    const none = { ...sampleOf({ errors: block(0, 2, 0), slow: block(0, 20, 0) }), share: undefined };
    expect(judged(repeated(80, none)).last).toMatchObject({ verdict: "hold", missing: ["errors", "slow"] });
  });

  test("another share than declared makes it inconclusive; where it cannot be checked, not", () => {
    const few = sampleOf({ errors: block(1, 2, 300), slow: block(12, 20, 300) });
    const last = judged(repeated(20, few)).last;
    expect(last).toMatchObject({ verdict: "inconclusive", share: { declared: 0.5, observed: 0.375 } });
    expect(judged(repeated(20, { ...few, share: undefined })).last?.verdict).not.toBe("inconclusive");
  });

  test("a release of which every request times out lacks requests, and is sent back all the same", () => {
    const hanging = { ...analysis, longestRequestMs: 60_000 };
    // Counted when they end: for a minute none is, and those that began then are missing for good.
    const samples = Array.from({ length: 14 }, (_, index): LiveSample => {
      const timedOut = index < 6 ? 0 : 250;
      const one = { newEvents: timedOut, newRequests: timedOut, liveEvents: 3, liveRequests: 750 };
      return sampleOf({ errors: one, slow: one }, 0, 0.25);
    });
    const { verdicts } = judged(samples, hanging);
    expect(verdicts[5]?.verdict).toBe("inconclusive");
    expect(verdicts.at(-1)).toMatchObject({ verdict: "fail", because: ["errors", "slow"] });
    // Where requests end soon, nothing explains that so many are missing.
    expect(judged(samples).last?.verdict).toBe("inconclusive");
  });

  test("errors that the controller asks again are counted again: too many requests, and sent back", () => {
    const retried = { newEvents: 500, newRequests: 750, liveEvents: 3, liveRequests: 750 };
    expect(
      judged(repeated(12, sampleOf({ errors: retried, slow: block(20, 20) }, 0, 0.25))).last,
    ).toMatchObject({
      verdict: "fail",
      because: ["errors"],
    });
    const led = { newEvents: 100, newRequests: 750, liveEvents: 3, liveRequests: 750 };
    expect(judged(repeated(12, sampleOf({ errors: led }, 0, 0.25))).last?.verdict).toBe("inconclusive");
  });

  test("a command that is killed at any look goes on with the same evidence", () => {
    const random = randomOf(5);
    const samples = Array.from({ length: 40 }, (_, index): LiveSample => {
      const errors = drawBlock(random, 1000, 0.25, { live: 0.005, new: 0.01 });
      return sampleOf({ errors, slow: { ...errors, newEvents: 0, liveEvents: 0 } }, index < 20 ? 0 : 1, 0.25);
    });
    const whole = judged(samples);
    for (const at of [1, 7, 19, 20, 33]) {
      const until = judged(samples.slice(0, at));
      const after = judged(samples.slice(at), analysis, JSON.parse(JSON.stringify(until.memory)));
      expect(after.memory).toEqual(whole.memory);
    }
    expect(JSON.stringify(whole.memory).length).toBeLessThan(4000);
  });
});
