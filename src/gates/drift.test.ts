import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { callIo, subject as fraud } from "../calls/calls.fixture.ts";
import type { GateVerdict } from "../core/calls.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { binNames, binOf, binsOf, countedAs, predictionKindOf } from "./drift/bins.ts";
import type { DriftConfig } from "./drift.ts";
import { driftGate } from "./drift.ts";
import type { GateIo, GateSubject, IngressOutcome } from "./io.ts";
import { withAlpha } from "./kinds.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-drift-"));
});
afterEach(() => rm(folder, { recursive: true }));

const subject: GateSubject = { ...fraud, phase: "verify" };
const base = {
  name: "drift",
  phases: ["verify"],
  everyMs: 1000,
  failures: 1,
  onInconclusive: "hold",
} as const;

/** Numbers of [0, 1) that go on. */
function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** A clock that passes when somebody waits. */
function passing(): Clock {
  let now = 1_000_000;
  return {
    ...systemClock,
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
}

interface Model {
  readonly live: (x: number) => unknown;
  readonly release: (x: number) => unknown;
}

/** Looks until it says something, through JSON each time. */
async function run(model: Model, config: Partial<DriftConfig> = {}, inputs = 2_000) {
  const random = randomly(7);
  const xs = Array.from({ length: inputs }, () => random());
  const lines = xs.map((x) => JSON.stringify({ input: x, ...(config.live && { expected: model.live(x) }) }));
  await writeFile(join(folder, "inputs.jsonl"), `${lines.join("\n")}\n`);
  const settings = driftGate.settings(
    { drift: { cases: "inputs.jsonl", path: "/predict", pace: 10, ...config } },
    10_000,
  );
  const asked = { live: 0, release: 0 };
  const io = {
    calls: callIo({ clock: passing(), folder }),
    ask: ({ route, body }: { route: "live" | "release"; body: string }): Promise<IngressOutcome> => {
      asked[route] += 1;
      const answer = model[route](JSON.parse(body) as number);
      if (answer === undefined) return Promise.resolve({ kind: "broken", why: "cut off" });
      const value = { status: 200, body: JSON.stringify(answer) };
      return Promise.resolve({ kind: "answer", answer: value, latencyMs: 5 });
    },
  } as unknown as GateIo;
  let memory: unknown;
  let said: GateVerdict = { verdict: "hold", evidence: "" };
  let looks = 0;
  const [gate] = withAlpha([{ ...base, ...settings }], 0.05, false);
  if (gate?.kind !== "drift") throw new Error("It is one.");
  for (; said.verdict === "hold" && looks < 500; looks++) {
    const kept = memory === undefined ? undefined : JSON.parse(JSON.stringify(memory));
    ({ said, memory } = await driftGate.look(
      { io, memory: kept },
      gate,
      subject,
      new AbortController().signal,
    ));
  }
  return { said, asked, memory, looks };
}

describe("predictions of both slots", () => {
  test("distributed alike pass, and each input was asked once", async () => {
    const { said, asked } = await run({ live: (x) => x, release: (x) => x + 0.001 });
    expect(said).toMatchObject({
      verdict: "pass",
      evidence: expect.stringMatching(/^most apart is .*stability index .*Jensen-Shannon distance/),
    });
    // Live's first ones fix the bins.
    expect(asked.live - asked.release).toBe(200);
    expect(asked.live).toBeLessThanOrEqual(2_000);
    expect((said.data as { distribution: object[] }).distribution).toHaveLength(11);
  });

  test("that have drifted wait for a person, or send the release back", async () => {
    const drifted: Model = { live: (x) => x, release: (x) => x * x };
    const { said } = await run(drifted);
    expect(said).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringMatching(/^the predictions have drifted, which those of a better model do, too/),
    });
    const { said: failing, memory } = await run(drifted, { fail: true });
    expect(failing).toMatchObject({ verdict: "fail", evidence: expect.stringContaining("have drifted") });
    expect(memory).toMatchObject({ found: expect.stringContaining("most apart is") });
  });

  test("as labels: by name", async () => {
    const label = (cut: number) => (x: number) => (x < cut ? "fraud" : "fine");
    const { said } = await run({ live: label(0.1), release: label(0.3) }, { fail: true });
    expect(said).toMatchObject({
      verdict: "fail",
      evidence: expect.stringMatching(/most apart is "(fraud|fine)"/),
      data: {
        distribution: [{ label: "fine" }, { label: "fraud" }, { label: "other" }, { label: "no prediction" }],
      },
    });
    const { said: masked } = await run(
      { live: label(0.1), release: label(0.3) },
      { fail: true, mask: ["answer"] },
    );
    expect(JSON.stringify(masked)).not.toContain("fraud");
  });

  test("that are none are counted as none", async () => {
    const { said } = await run({ live: (x) => x, release: (x) => (x < 0.1 ? undefined : x) }, { fail: true });
    expect(said).toMatchObject({
      verdict: "fail",
      data: {
        distribution: expect.arrayContaining([expect.objectContaining({ label: "no prediction", live: 0 })]),
      },
    });
  });

  test("from a record: the live slot is left alone", async () => {
    const { said, asked } = await run({ live: (x) => x, release: (x) => x }, { live: "recorded" });
    expect(said.verdict).toBe("pass");
    expect(asked.live).toBe(0);
  });

  test("too few to show anything are inconclusive, and say so", async () => {
    const { said } = await run({ live: (x) => x, release: (x) => x }, {}, 120);
    expect(said).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringMatching(/^not shown: predictions within 2 x live's \+ 2 points in each bin/),
    });
    expect((await run({ live: (x) => x, release: (x) => x }, {}, 60)).said.evidence).toContain(
      "60 inputs, too few",
    );
  });

  test("keep a record small", async () => {
    const vector = (x: number) => Array.from({ length: 1_500 }, (_, index) => Math.sin(x + index));
    const { memory, said } = await run({ live: vector, release: vector }, {}, 120);
    expect(JSON.stringify(memory).length).toBeLessThan(40_000);
    expect(said.data).toMatchObject({ predictions: "embedding" });
  });
});

describe("alpha", () => {
  test("is taken only where a drift can send a release back", () => {
    const gate = (fail: boolean) => ({
      ...base,
      ...driftGate.settings({ drift: { cases: "a", path: "/", fail } }, 1000),
    });
    expect(withAlpha([gate(true)], 0.01, false)).toEqual([expect.objectContaining({ alpha: 0.01 })]);
    expect(withAlpha([gate(false)], 0.01, false)).toEqual([expect.objectContaining({ alpha: 0.05 })]);
  });
});

describe("bins", () => {
  test("are of what predictions are", () => {
    expect(
      [0.5, "fraud", "a text of more than forty characters, as models write", [0.1, 0.9], true].map(
        predictionKindOf,
      ),
    ).toEqual(["number", "label", "text", "label", "label"]);
    expect(predictionKindOf(Array.from({ length: 100 }, () => 1))).toBe("embedding");
    expect(countedAs("label", [0.1, 0.9])).toBe("1");
    expect(countedAs("label", Number.NaN)).toBeUndefined();
    expect(countedAs("text", " two  words ")).toBe(2);
    expect(countedAs("embedding", [1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2);
  });

  test("are live's deciles, of which equal ones are one; few numbers are classes", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    const bins = binsOf("number", hundred);
    expect(bins).toMatchObject({ upTo: [10, 20, 30, 40, 50, 60, 70, 80, 90] });
    expect([10, 10.5, 1000, undefined].map((one) => binOf(bins, one))).toEqual([0, 1, 9, 10]);
    expect(binNames(bins, false).slice(-2)).toEqual(["over 90", "no prediction"]);
    expect(binsOf("number", [0, 1, 1, 0, 0])).toEqual({ by: "label", labels: ["0", "1"] });
    const mostlyZero = hundred.map((one) => (one > 60 ? one : 0));
    expect(binsOf("number", mostlyZero)).toMatchObject({ upTo: [0, 70, 80, 90] });
  });
});
