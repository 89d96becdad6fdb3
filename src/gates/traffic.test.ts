import { describe, expect, test } from "vitest";
import type { GateVerdict } from "../core/calls.ts";
import type { SlotCounters } from "../core/statistics/counters.ts";
import type { CountersOutcome } from "./io.ts";
import { judgeTraffic, trafficGate } from "./traffic.ts";

type Read = Extract<CountersOutcome, { kind: "read" }>;
type Memory = Parameters<typeof judgeTraffic>[0];

const settings = trafficGate.settings(
  { traffic: { metrics: ["http://127.0.0.1:9100/metrics"], latency: 0.3 } },
  30_000,
);
const at50 = { slot: "green", stepIndex: 0, split: { blue: 50, green: 50 } } as const;
const zero: SlotCounters = { requests: 0, events: { errors: 0, latency: 0 } };
const counters = (requests: number, errors: number, latency = 0): SlotCounters => ({
  requests,
  events: { errors, latency },
});

const reading = (atMs: number, blue: SlotCounters, green: SlotCounters, about: Partial<Read> = {}): Read => ({
  kind: "read",
  atMs,
  controller: "Traefik",
  slots: { blue, green },
  bounds: [0.1, 0.3, 1.2],
  own: { blue: zero, green: zero },
  era: "one",
  isDisturbed: false,
  steps: 1,
  ...about,
});

/** Ten seconds between two readings, 500 requests for each slot in them; what is remembered goes through JSON, as in a record. */
function looked(looks: number, errors: { blue: number; green: number }, about: Partial<Read> = {}) {
  let memory: Memory = {
    counters: { since: undefined, last: undefined, isDisturbed: false },
    era: "",
    live: undefined,
  };
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
        "not shown yet: errors and answers slower than 0.3 s; errors no request in green, no request in blue; answers slower than 0.3 s no request in green, no request in blue",
      data: expect.anything(),
    });
    const { verdict } = looked(40, { blue: 0.002, green: 0.002 });
    expect(verdict?.verdict).toBe("pass");
    expect(verdict?.evidence).toContain("errors 0.2 % of 20000 in green, 0.2 % of 20000 in blue");
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
    const read = reading(0, counters(9, 0), counters(9, 0), { bounds: [0.1, 5] });
    expect(judgeTraffic(looked(0, { blue: 0, green: 0 }).memory, read, settings, at50).verdict).toMatchObject(
      {
        verdict: "inconclusive",
        evidence: expect.stringContaining("choose one of 0.1, 5"),
      },
    );
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
    const own = { blue: zero, green: counters(100, 100) };
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

describe("the configuration", () => {
  const problems = (rollout: unknown) => trafficGate.problems?.({}, { input: { rollout } }) ?? [];

  test.each([{}, { steps: "100%" }])("%j compares nothing", (rollout) => {
    expect(problems(rollout)).toMatchObject([{ path: ["traffic"] }]);
  });

  test("with steps it is right", () => {
    expect(problems({ steps: "5%:5m, 50%:5m" })).toEqual([]);
  });

  test.each([
    [{}],
    [{ metrics: [] }],
    [{ metrics: ["traefik:9100"] }],
    [{ metrics: [{ namespace: "traefik", port: 9100 }] }],
    [{ metrics: ["http://a/metrics"], alpha: 1 }],
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
