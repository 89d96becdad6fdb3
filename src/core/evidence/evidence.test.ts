import { describe, expect, test } from "vitest";
import { boundedData, largestData } from "./bounded.ts";
import { evidenceOf } from "./read.ts";

const block = { newEvents: 3, newRequests: 100, liveEvents: 5, liveRequests: 900 };

describe("evidence is read by its shape", () => {
  test("counts of both slots are a comparison, under their own name where they have one", () => {
    const sides = { new: { events: 3, requests: 100 }, live: { events: 5, requests: 900 } };
    const { comparisons, facts } = evidenceOf({
      controller: "Traefik",
      metrics: [{ name: "errors", lnFail: 1.5, lnPass: -2, alpha: 0.025, inStep: block, inAll: block }],
      tokens: block,
    });
    expect(comparisons).toEqual([
      { name: "errors", ...sides, lnFail: 1.5, alpha: 0.025 },
      { name: "tokens", ...sides, lnFail: undefined, alpha: undefined },
    ]);
    expect(facts).toEqual([{ name: "controller", value: "Traefik" }]);
  });

  test("pairs of answers are counts of one side, with the limit of their test", () => {
    const data = { pairs: 200, differing: 4, lnFail: 0.5, lnFailLimit: Math.log(20), tolerated: 0.01 };
    const { comparisons, facts } = evidenceOf(data);
    expect(comparisons).toEqual([
      {
        name: "answers that differ",
        new: { events: 4, requests: 200 },
        live: undefined,
        lnFail: 0.5,
        alpha: 0.05,
      },
    ]);
    expect(facts).toContainEqual({ name: "tolerated", value: "0.01" });
  });

  test("what was wrong, or differs, is an example; all of its fields are kept", () => {
    const { examples } = evidenceOf({
      misses: [{ id: "7", why: "0.2 instead of 0.9" }],
      worst: [{ input: [1, 2], live: { label: "a" }, new: { label: "b" } }],
    });
    expect(examples).toEqual([
      { name: "misses", rows: [{ id: "7", why: "0.2 instead of 0.9" }] },
      { name: "worst", rows: [{ input: "[1,2]", live: '{"label":"a"}', new: '{"label":"b"}' }] },
    ]);
  });

  test("numbers in both slots are bins; entries with a time, and lists of numbers, are series", () => {
    const { distributions, series } = evidenceOf({
      labels: [
        { bin: "cat", new: 10, live: 12 },
        { bin: "dog", new: 3, live: 1 },
      ],
      rate: [
        { at: "2026-11-23T08:00:00Z", p99: 5, note: "x" },
        { at: "2026-11-23T08:00:10Z", p99: 7 },
      ],
      losses: [3, 2, 1],
    });
    expect(distributions[0]?.bins.map(({ label }) => label)).toEqual(["cat", "dog"]);
    expect(series).toEqual([
      {
        name: "rate",
        places: [Date.parse("2026-11-23T08:00:00Z"), Date.parse("2026-11-23T08:00:10Z")],
        lines: [{ name: "p99", values: [5, 7] }],
      },
      { name: "losses", places: [1, 2, 3], lines: [{ name: "losses", values: [3, 2, 1] }] },
    ]);
  });

  test("nothing that is there is dropped, whatever it looks like", () => {
    const odd = {
      a: { b: { c: { d: { e: { f: { g: 1 } } } } } },
      mixed: [1, "x", null],
      none: null,
      no: false,
    };
    expect(evidenceOf(odd).facts).toEqual([
      { name: "a.b.c.d.e.f", value: '{"g":1}' },
      { name: "mixed", value: "1; x; null" },
      { name: "no", value: "false" },
    ]);
  });
});

describe("evidence is kept within bounds", () => {
  test("counts stay exact, fractions get six digits, what is no JSON becomes some", () => {
    expect(
      boundedData({ n: 1_234_567_891, p: 0.123456789, nan: Number.NaN, gone: undefined, half: "a\ud800b" }),
    ).toEqual({ n: 1_234_567_891, p: 0.123457, nan: "NaN", half: "a\ufffdb" });
  });

  test("long texts and lists are cut", () => {
    const { text, list, leftOut } = boundedData({
      text: "x".repeat(10_000),
      list: Array.from({ length: 500 }, () => 1),
    });
    expect(String(text).length).toBe(300);
    expect(list).toHaveLength(60);
    expect(leftOut).toEqual(["list: 440 of 500"]);
  });

  test.each([
    [
      "many large keys",
      Object.fromEntries(Array.from({ length: 400 }, (_, key) => [`key${key}`, "y".repeat(400)])),
    ],
    [
      "one large key",
      {
        numbers: 7,
        deep: Object.fromEntries(Array.from({ length: 60 }, (_, key) => [`key${key}`, "ü".repeat(300)])),
      },
    ],
  ])("%s are left out by name, and the small numbers stay", (_what, data) => {
    const kept = boundedData(data);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(largestData);
    if ("numbers" in data) expect(kept).toMatchObject({ numbers: 7, leftOut: ["deep"] });
    else expect(kept).toHaveProperty("leftOut");
  });
});
