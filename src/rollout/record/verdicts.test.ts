import { describe, expect, test } from "vitest";
import { reportedVerdict } from "./estimates.ts";
import type { EstimatedShare } from "./rollout-report.ts";
import { type GateLooked, mergedVerdicts, type RecordedVerdict, withLook } from "./verdicts.ts";

const counted = (newEvents: number, newRequests: number) => ({
  alpha: 0.05,
  metrics: [
    {
      name: "errors",
      lnFail: newEvents / 10,
      alpha: 0.05,
      inAll: { newEvents, newRequests, liveEvents: 5, liveRequests: 1000 },
    },
  ],
});

const look = (second: number, more: Partial<GateLooked> = {}): GateLooked => ({
  gate: "traffic",
  phase: "shift",
  step: 0,
  weight: 5,
  at: new Date(Date.parse("2026-11-23T08:00:00Z") + second * 1000).toISOString(),
  verdict: "hold",
  evidence: "not shown yet",
  data: counted(second, 10 * second),
  ...more,
});

const looked = (looks: readonly GateLooked[]) =>
  looks.reduce<readonly RecordedVerdict[]>((all, one) => withLook(all, one), []);

describe("what a gate said in a step", () => {
  test("is its last word, with the time and number of its looks and a line of what was counted", () => {
    const [one, ...others] = looked([look(10), look(20), look(30, { verdict: "pass", evidence: "shown" })]);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      verdict: "pass",
      evidence: "shown",
      looks: 3,
      from: "2026-11-23T08:00:10.000Z",
      to: "2026-11-23T08:00:30.000Z",
      data: { metrics: [{ inAll: { newRequests: 300 } }] },
    });
    expect(one?.series.map(({ values }) => values["errors: new"])).toEqual([0.1, 0.1, 0.1]);
    expect(one?.series.map(({ values }) => values["errors: evidence"])).toEqual([1, 2, 3]);
  });

  test("stands by itself in each step and phase", () => {
    const all = looked([look(1), look(2, { step: 1, weight: 25 }), look(3, { phase: "soak", step: null })]);
    expect(all.map(({ phase, step }) => [phase, step])).toEqual([
      ["shift", 0],
      ["shift", 1],
      ["soak", null],
    ]);
  });

  test("keeps its numbers when a look has none, and is no longer let pass once it is decided", () => {
    const unclear = look(1, { verdict: "inconclusive", isLetPass: true });
    const { data: _none, ...words } = look(2, { verdict: "pass" });
    const [one] = looked([unclear, words]);
    expect(one?.data).toBeDefined();
    expect(one).not.toHaveProperty("isLetPass");
  });

  test("that it could not show is said without another look", () => {
    const { data: _none, ...end } = look(20, {
      verdict: "inconclusive",
      evidence: "not shown: errors",
      isLetPass: true,
    });
    const [one] = looked([look(10), { ...end, looks: 0 }]);
    expect(one).toMatchObject({
      looks: 1,
      isLetPass: true,
      evidence: "not shown: errors",
      data: counted(10, 100),
    });
    expect(one?.series).toHaveLength(1);
  });

  test("is the same whether the record was written in between or not", () => {
    const looks = Array.from({ length: 9 }, (_, index) => look(index + 1));
    expect(mergedVerdicts(looked(looks.slice(0, 4)), looked(looks.slice(4)))).toEqual(looked(looks));
  });

  test("stays small over a day of looks: first and last points stay", () => {
    const [one] = looked(Array.from({ length: 2_000 }, (_, index) => look(index + 1)));
    expect(one?.looks).toBe(2_000);
    expect(one?.series.length).toBeLessThanOrEqual(48);
    expect(one?.series[0]?.at).toBe("2026-11-23T08:00:01.000Z");
    expect(one?.series.at(-1)?.at).toBe(look(2_000).at);
  });

  test("of many large gates stays within 96 KiB, and what failed keeps its data longest", () => {
    const large = { list: Array.from({ length: 60 }, () => "x".repeat(150)) };
    const all = looked(
      Array.from({ length: 100 }, (_, index) =>
        look(index, { gate: `gate${index}`, data: large, verdict: index === 40 ? "fail" : "pass" }),
      ),
    );
    expect(Buffer.byteLength(JSON.stringify(all))).toBeLessThanOrEqual(96 * 1024);
    expect(all.find(({ verdict }) => verdict === "fail")).toMatchObject({
      gate: "gate40",
      data: { list: expect.any(Array) },
    });
    expect(all.some(({ data }) => data === undefined)).toBe(true);
  });
});

describe("how sure we are", () => {
  test("shares have bounds around them, and the evidence its limit", () => {
    const [one] = looked([look(10, { data: counted(3, 400) })]);
    if (one === undefined) throw new Error("There is one.");
    const [estimate] = reportedVerdict(one).estimates;
    expect(estimate).toMatchObject({
      name: "errors",
      new: { events: 3, requests: 400, share: 0.0075 },
      live: { share: 0.005 },
      against: { factor: 1.3499, sendsBackAt: 20, alpha: 0.05 },
    });
    expect(estimate?.new.low).toBeLessThan(0.0075);
    expect(estimate?.new.high).toBeGreaterThan(0.0075);
    // Fewer requests say less.
    const width = (share: EstimatedShare | null | undefined = estimate?.new) =>
      (share?.high ?? 0) - (share?.low ?? 0);
    expect(width(estimate?.live)).toBeLessThan(width());
  });

  test("without a request nothing is claimed", () => {
    const [one] = looked([look(10, { data: counted(0, 0) })]);
    if (one === undefined) throw new Error("There is one.");
    expect(reportedVerdict(one).estimates[0]?.new).toEqual({
      events: 0,
      requests: 0,
      share: null,
      low: 0,
      high: 1,
    });
  });
});
