import { describe, expect, test } from "vitest";
import { askingOf } from "./asking.ts";
import type { IngressOutcome } from "./io.ts";
import { unknownLive } from "./live-care.ts";
import { timeBlock } from "./performance/ask.ts";
import { judgePerformance, type PerformanceMemory } from "./performance.ts";

const nothing: PerformanceMemory = { first: [], bounds: [], live: undefined, elapsedMs: 0, sent: 0 };
const asking = askingOf({ cases: "performance.fixture.jsonl", path: "/p", protocol: "json" }, 1_000);
const settings = { alpha: 0.05, durationMs: 300_000 };

/** Log-normal latencies with a median, as servers have them. */
function latencies(seed: number) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 4_294_967_297;
  };
  return (median: number) =>
    median * Math.exp(0.4 * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
}

function judged(live: (index: number) => number, release: (index: number) => number) {
  let memory = nothing;
  let index = 0;
  for (let blocks = 1; blocks <= 40; blocks++) {
    const times = Array.from({ length: 50 }, () => {
      index += 1;
      return { live: live(index), release: release(index) };
    });
    const next = judgePerformance(
      memory,
      { kind: "timed", times, durationMs: 10_000, care: unknownLive, strain: undefined },
      settings,
    );
    memory = JSON.parse(JSON.stringify(next.memory)) as PerformanceMemory;
    if (next.verdict.verdict !== "hold") return { ...next.verdict, blocks };
  }
  throw new Error("It never says.");
}

describe("performance", () => {
  test("one that is three times as slow is sent back, within a minute", () => {
    const of = latencies(1);
    const said = judged(
      () => of(20),
      () => of(60),
    );
    expect(said).toMatchObject({
      verdict: "fail",
      evidence: expect.stringMatching(/^more answers over .* ms/),
    });
    expect(said.blocks).toBeLessThanOrEqual(6);
  });

  test("a slow tail alone, and requests without an answer, are seen as well", () => {
    const of = latencies(2);
    expect(
      judged(
        () => of(20),
        (index) => (index % 6 === 0 ? 500 : of(20)),
      ).verdict,
    ).toBe("fail");
    expect(
      judged(
        () => of(20),
        (index) => (index % 6 === 0 ? Infinity : of(20)),
      ).verdict,
    ).toBe("fail");
  });

  test("one that is as fast is never sent back for it", () => {
    const said = Array.from({ length: 60 }, (_, seed) => {
      const of = latencies(seed + 10);
      return judged(
        () => of(20),
        () => of(20),
      ).verdict;
    });
    expect(said.filter((one) => one === "fail")).toHaveLength(0);
    expect(said.filter((one) => one === "pass").length).toBeGreaterThan(0);
  });

  test("bounds of a live slot that had not enough of the machine pass nothing: they are fixed anew", () => {
    const of = latencies(3);
    // Eight times as slow while the release's pods start, and its first 50 answers are of that time.
    const live = (index: number) => of(index <= 50 ? 160 : 20);
    const tailed = (index: number) => (index % 6 === 0 ? 120 : of(20));
    expect(judged(live, tailed).verdict).toBe("fail");
    const passed = Array.from({ length: 30 }, (_, seed) => {
      const fresh = latencies(seed + 100);
      return judged(
        (index) => fresh(index <= 50 ? 160 : 20),
        () => fresh(20),
      ).verdict;
    });
    expect(passed.filter((one) => one === "fail")).toHaveLength(0);
    expect(passed.filter((one) => one === "pass").length).toBeGreaterThan(0);
  });

  test.each<[string, (of: (median: number) => number) => number]>([
    ["whole milliseconds, few of them", (of) => Math.max(1, Math.round(of(1.6)))],
    ["a heavy tail", (of) => of(20) ** 2 / 20],
    ["5 % three times as slow", (of) => (of(1) > 1.93 ? 60 : 20)],
  ])("answers that are %s fix no bounds anew", (_what, latency) => {
    const said = Array.from({ length: 40 }, (_, seed) => {
      const of = latencies(seed + 300);
      return judged(
        () => latency(of),
        () => latency(of),
      ).evidence;
    });
    expect(said.filter((one) => /sometimes/.test(one))).toEqual([]);
  });

  test("a live slot that is now fast and now slow shows nothing", () => {
    const of = latencies(4);
    const live = (index: number) => of(index <= 50 ? 320 : index <= 400 ? 80 : 20);
    expect(judged(live, () => of(20))).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("sometimes fast and sometimes slow"),
    });
  });

  test("where neither slot answers any more, nothing passes", () => {
    const of = latencies(5);
    const both = (index: number) => (index <= 60 ? of(20) : Infinity);
    expect(judged(both, both).verdict).toBe("inconclusive");
  });

  test("live that gives no answers fixes no bound: no verdict", () => {
    expect(
      judged(
        () => Infinity,
        () => 20,
      ),
    ).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("live has given 0 of the 50 answers"),
    });
  });
});

/** One block, with a clock that goes on by itself; what each slot answers. */
async function block(
  answers: Record<"live" | "release", (index: number) => IngressOutcome>,
  care = unknownLive,
  how = asking,
) {
  let now = 0;
  const sent = { live: 0, release: 0 };
  const sample = await timeBlock(
    {
      calls: {
        folder: import.meta.dirname,
        clock: {
          now: () => now,
          sleep: (ms) => {
            now += ms;
            return Promise.resolve();
          },
        },
      },
      ask: ({ route }) => {
        const side = route === "live" ? "live" : "release";
        sent[side] += 1;
        return Promise.resolve(answers[side](sent[side]));
      },
    },
    { asking: how, rate: 20, turn: 0, care },
    new AbortController().signal,
  );
  return { sample, sent };
}

const answered = (status: number, latencyMs: number, body = ""): IngressOutcome => ({
  kind: "answer",
  answer: { status, body },
  latencyMs,
});

test.each([400, 401, 404, 301, 500])("HTTP %i is no quick answer", async (status) => {
  const { sample } = await block({ live: () => answered(200, 20), release: () => answered(status, 1) });
  expect(sample).toMatchObject({
    kind: "timed",
    times: expect.arrayContaining([{ live: 20, release: Infinity }]),
  });
});

test.each([
  ["json", '{"score":0.5}', '{"error":"no such model"}'],
  ["open-inference", '{"outputs":[{"name":"p","shape":[1],"data":[1]}]}', '{"error":"no such model"}'],
  // One that has used up its tokens by thinking has no content, and took its time.
  [
    "openai",
    '{"choices":[{"finish_reason":"length","message":{"role":"assistant","content":null}}]}',
    '{"error":{"message":"overloaded","type":"server_error"}}',
  ],
] as const)("with %s, an error with HTTP 200 is no quick answer", async (protocol, good, error) => {
  const sent = { cases: "performance.fixture.jsonl", path: "/p", protocol } as const;
  const { sample } = await block(
    { live: () => answered(200, 20, good), release: () => answered(200, 1, error) },
    unknownLive,
    askingOf(sent, 1_000),
  );
  expect(sample).toMatchObject({
    times: expect.arrayContaining([{ live: 20, release: Infinity }]),
  });
});

test("what is no JSON has a time all the same", async () => {
  const picture = () => answered(200, 20, "\u0089PNG");
  const { sample } = await block({ live: picture, release: picture });
  expect(sample).toMatchObject({ times: expect.arrayContaining([{ live: 20, release: 20 }]) });
});

test("live is left alone when its answers become slow, for a while", async () => {
  const release = () => answered(200, 20);
  const { sample, sent } = await block({ live: (index) => answered(200, index > 60 ? 900 : 20), release });
  expect(sample).toMatchObject({ kind: "timed", strain: expect.stringContaining("took longer than") });
  expect(sent.live).toBeLessThan(100);
  const care = sample.kind === "timed" ? sample.care : unknownLive;
  const next = await block({ live: release, release }, care);
  expect(next.sample).toMatchObject({
    kind: "paused",
    why: expect.stringMatching(/^live is left alone for another/),
  });
  expect(next.sent).toEqual({ live: 0, release: 0 });
});

test("requests go out at their rate although none was answered yet", async () => {
  let now = 0;
  const sent: number[] = [];
  const waiting: (() => void)[] = [];
  const sample = timeBlock(
    {
      calls: {
        folder: import.meta.dirname,
        clock: {
          now: () => now,
          sleep: (ms) => {
            now += ms;
            return Promise.resolve();
          },
        },
      },
      ask: () =>
        new Promise((resolve) => {
          sent.push(now);
          waiting.push(() => resolve({ kind: "answer", answer: { status: 200, body: "" }, latencyMs: 7 }));
          // The last of them lets all be answered: until then nobody was.
          if (sent.length === 60) for (const answer of waiting) answer();
        }),
    },
    {
      asking: {
        ...{
          cases: "performance.fixture.jsonl",
          path: "/p",
          protocol: "json",
          comparison: { kind: "exact" },
        },
        ...{
          answer: undefined,
          mask: { input: [], answer: [] },
          headers: {},
          insecure: false,
          timeoutMs: 1_000,
        },
      },
      rate: 3,
      turn: 0,
      care: unknownLive,
    },
    new AbortController().signal,
  );
  const found = await sample;
  expect(found).toMatchObject({ kind: "timed", durationMs: expect.any(Number) });
  expect(found.kind === "timed" ? found.times.length : 0).toBe(30);
  expect(sent.at(-1)).toBeGreaterThanOrEqual(9_600);
});
