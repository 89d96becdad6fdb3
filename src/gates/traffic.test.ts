import { describe, expect, test } from "vitest";
import type { GateVerdict } from "../core/calls.ts";
import { type CountedSlot, nothingSent, type OwnSent } from "../core/statistics/counted.ts";
import type { CountersOutcome } from "./io.ts";
import { trafficGate } from "./traffic.ts";
import { judgeTraffic, nothingSeen } from "./traffic-judge.ts";

type Read = Extract<CountersOutcome, { kind: "read" }>;
type Memory = Parameters<typeof judgeTraffic>[0];

const settings = trafficGate.settings(
  { traffic: { metrics: ["http://127.0.0.1:9100/metrics"], latency: 0.3 } },
  30_000,
);
const at50 = { slot: "green", stepIndex: 0, split: { blue: 50, green: 50 } } as const;
const zero = nothingSent;
/** `slow`: how many took longer than 0.3 s. */
const counters = (requests: number, errors: number, slow = 0): CountedSlot => ({
  requests,
  errors,
  latencies: {
    bounds: requests === 0 ? [] : [0.1, 0.3, 1.2, Number.POSITIVE_INFINITY],
    counts: requests === 0 ? [] : [requests - slow, requests - slow, requests, requests],
  },
});
const sent = (requests: number, errors: number): OwnSent => ({
  requests,
  errors,
  seconds: Array.from({ length: requests }, () => 0.01),
});

const reading = (atMs: number, blue: CountedSlot, green: CountedSlot, about: Partial<Read> = {}): Read => ({
  kind: "read",
  atMs,
  controller: "Traefik",
  slots: { blue, green },
  where: "10.0.0.7:9100",
  isShareChecked: true,
  longestRequestMs: 0,
  own: { blue: zero, green: zero },
  era: "one",
  isDisturbed: false,
  steps: 1,
  ...about,
});

/** Ten seconds between two readings, 500 requests for each slot in them; what is remembered goes through JSON, as in a record. */
function looked(looks: number, errors: { blue: number; green: number }, about: Partial<Read> = {}) {
  let memory: Memory = nothingSeen;
  let verdict: GateVerdict | undefined;
  for (let look = 0; look <= looks; look++) {
    const of = (rate: number) => counters(500 * look, Math.round(500 * look * rate));
    const read = reading(look * 10_000, of(errors.blue), of(errors.green), about);
    ({ verdict, memory } = judgeTraffic(JSON.parse(JSON.stringify(memory)), read, settings, at50));
  }
  return { verdict, memory };
}

describe("clients' requests in both slots", () => {
  test("alike: holds until that is shown, then passes", () => {
    expect(looked(0, { blue: 0.002, green: 0.002 }).verdict).toEqual({
      verdict: "hold",
      evidence:
        "not shown yet: errors and answers slower than 0.3 s; errors no request in green, no request in blue; answers slower than 0.3 s no request in green, no request in blue, by Traefik",
      data: expect.anything(),
    });
    expect(looked(1, { blue: 0.002, green: 0.002 }).verdict?.evidence).toMatch(
      /^not shown yet: errors from [\d.]+ % to [\d.]+ % \(about \d+ more requests, \d+ (s|min) at their present rate\); /,
    );
    const { verdict } = looked(40, { blue: 0.002, green: 0.002 });
    expect(verdict?.verdict).toBe("pass");
    expect(verdict?.evidence).toContain("errors 0.2 % of 20000 in green, 0.2 % of 20000 in blue");
  });

  test("of clients who stay on their slot: never passes, says why, and fails all the same", () => {
    const pinned = { isPinned: true, isShareChecked: false };
    const alike = looked(40, { blue: 0.002, green: 0.002 }, pinned).verdict;
    expect(alike?.verdict).toBe("inconclusive");
    expect(alike?.evidence).toMatch(
      /^clients stay on the slot that they got \(routing\.sticky\), so this cannot be told/,
    );
    expect(looked(1, { blue: 0.002, green: 0.002 }, pinned).verdict?.evidence).toMatch(
      /^clients stay .*; not shown yet: /,
    );
    expect(looked(40, { blue: 0.002, green: 0.3 }, pinned).verdict?.verdict).toBe("fail");
  });

  test("many more errors: fails, after some blocks and not before, and for good", () => {
    expect(looked(2, { blue: 0.002, green: 0.2 }).verdict?.verdict).toBe("hold");
    const { verdict, memory } = looked(6, { blue: 0.002, green: 0.2 });
    expect(verdict).toMatchObject({
      verdict: "fail",
      evidence: expect.stringMatching(/^more errors than live: errors 20 % of/),
    });
    const again = judgeTraffic(
      memory,
      reading(80_000, counters(4000, 8), counters(4000, 600)),
      settings,
      at50,
    );
    expect(again.verdict.verdict).toBe("fail");
  });

  test("errors of both are no reason", () => {
    expect(looked(40, { blue: 0.1, green: 0.1 }).verdict?.verdict).not.toBe("fail");
  });
});

describe("what is no evidence", () => {
  test("counters that cannot be read", () => {
    const memory: Memory = looked(3, { blue: 0, green: 0 }).memory;
    expect(judgeTraffic(memory, { kind: "unreadable", why: "HTTP 503" }, settings, at50)).toEqual({
      verdict: { verdict: "inconclusive", evidence: "HTTP 503" },
      memory,
    });
  });

  test("a bound that is none of the controller's: those that are, are named", () => {
    const { memory } = looked(0, { blue: 0, green: 0 });
    const read = reading(0, counters(9, 0), counters(9, 0));
    expect(judgeTraffic(memory, read, { ...settings, latency: 0.2 }, at50).verdict).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("choose one of 0.1, 0.3, 1.2"),
    });
  });

  test("a block into which another command, a proof or another replica fell", () => {
    const { memory } = looked(1, { blue: 0, green: 0 });
    const read = reading(20_000, counters(1000, 0), counters(1000, 900), { era: "two" });
    const { verdict, memory: next } = judgeTraffic(memory, read, settings, at50);
    expect(verdict.evidence).toContain(
      "the last reading is left out: a proof, another command or another replica",
    );
    expect(next.live?.metrics.errors?.inAll.newRequests).toBe(500);
    // From then on it counts again.
    const after = reading(30_000, counters(1500, 0), counters(1500, 900), { era: "two" });
    expect(judgeTraffic(next, after, settings, at50).memory.live?.metrics.errors?.inAll.newRequests).toBe(
      1000,
    );
  });

  test("what the command itself sent", () => {
    const { memory } = looked(1, { blue: 0, green: 0 });
    const own = { blue: zero, green: sent(100, 100) };
    const read = reading(20_000, counters(1000, 0), counters(1100, 100), { own });
    const { memory: next } = judgeTraffic(memory, read, settings, at50);
    expect(next.live?.metrics.errors?.inAll).toMatchObject({ newEvents: 0, newRequests: 1000 });
  });
});

test("once all traffic is on the release there is nothing to compare it with", () => {
  const at100 = { slot: "green", stepIndex: 1, split: { blue: 0, green: 100 } } as const;
  const { memory } = looked(3, { blue: 0, green: 0 });
  const { verdict } = judgeTraffic(
    memory,
    reading(50_000, counters(1500, 0), counters(9000, 0)),
    settings,
    at100,
  );
  expect(verdict).toMatchObject({
    verdict: "pass",
    evidence: expect.stringContaining("nothing to compare it with"),
  });
});

describe("latency without a bound that somebody chose", () => {
  const found = trafficGate.settings({ traffic: {} }, 30_000);
  const judged = (memory: Memory, read: Read) => judgeTraffic(memory, read, found, at50);

  test("bounds are live's own, of those that are counted, once and for good", () => {
    const early = judged(nothingSeen, reading(0, counters(50, 0), counters(50, 0)));
    expect(early.memory.bounds).toBeUndefined();
    const then = judged(early.memory, reading(10_000, counters(500, 0), counters(500, 0)));
    // Half of live's take at most 0.1 s: 0.125 s lies in the bucket up to 0.3 s, and so do 95 and 99 %.
    expect(then.memory.bounds).toEqual([0.3]);
    const slower = judged(then.memory, reading(20_000, counters(1000, 0, 900), counters(1000, 0)));
    expect(slower.memory.bounds).toEqual([0.3]);
    expect(slower.verdict.evidence).toContain("answers slower than 0.3 s");
  });

  test("many more slow answers send the release back", () => {
    let memory: Memory = nothingSeen;
    let verdict: GateVerdict | undefined;
    for (let look = 0; look <= 8; look++) {
      const read = reading(look * 10_000, counters(500 * (look + 1), 0), counters(500 * look, 0, 250 * look));
      ({ verdict, memory } = judged(JSON.parse(JSON.stringify(memory)), read));
    }
    expect(verdict).toMatchObject({
      verdict: "fail",
      evidence: expect.stringContaining("more answers slower than 0.3 s than live"),
    });
  });

  test("a live model whose latency no bucket can tell is compared by errors alone, and that is said", () => {
    const slow = (requests: number): CountedSlot => ({
      requests,
      errors: 0,
      latencies: { bounds: [0.1, Number.POSITIVE_INFINITY], counts: [0, requests] },
    });
    const { verdict, memory } = judged(nothingSeen, reading(0, slow(500), slow(500)));
    expect(memory.bounds).toEqual([]);
    expect(verdict.evidence).toContain("latency not compared");
  });

  test("the weight of latency is kept for it from the beginning", () => {
    // Evidence against errors alone would be enough at the gate's whole alpha, and is not at half of it.
    const before = judged(nothingSeen, reading(0, counters(10, 0), counters(10, 0)));
    expect(before.verdict.data?.bounds).toBeUndefined();
    expect(before.verdict.verdict).toBe("hold");
  });
});

test("nothing passes before the longest request can have ended", () => {
  let memory: Memory = nothingSeen;
  let verdict: GateVerdict | undefined;
  for (let look = 0; look <= 40; look++) {
    const of = counters(500 * look, look);
    ({ verdict, memory } = judgeTraffic(
      memory,
      reading(look * 10_000, of, of, { longestRequestMs: 600_000 }),
      settings,
      at50,
    ));
  }
  expect(verdict).toMatchObject({
    verdict: "hold",
    evidence: expect.stringContaining("not before the longest request can have ended (200 s)"),
  });
});

describe("the configuration", () => {
  const problems = (rollout: unknown) => trafficGate.problems?.({}, { input: { rollout } }) ?? [];

  test.each([{}, { steps: "100%" }])("%j compares nothing", (rollout) => {
    expect(problems(rollout)).toMatchObject([{ path: ["traffic"] }]);
  });

  test("with steps it is right", () => {
    expect(problems({ steps: "5%:5m, 50%:5m" })).toEqual([]);
  });

  test.each([
    [{ metrics: [] }],
    [{ metrics: ["traefik:9100"] }],
    [{ metrics: [{ namespace: "traefik", port: 9100 }] }],
    [{ metrics: ["http://a/metrics"], weight: 0 }],
    [{ metrics: ["http://a/metrics"], latency: 0 }],
  ])("%j is refused", (traffic) => {
    expect(trafficGate.schema.safeParse({ traffic }).success).toBe(false);
  });

  test("pods have their path by default", () => {
    const form = {
      traffic: { metrics: [{ namespace: "traefik", selector: "app=traefik", port: 9100 }] },
    } as const;
    expect(trafficGate.schema.safeParse(form).success).toBe(true);
    expect(trafficGate.settings(form, 1)).toMatchObject({ sources: [{ kind: "pods", path: "/metrics" }] });
  });
});
