import { describe, expect, test } from "vitest";
import type { GateVerdict } from "../core/calls.ts";
import { type CountedSlot, nothingSent } from "../core/statistics/counted.ts";
import type { CountersOutcome, CountersRequest, GateIo, GateSubject } from "./io.ts";
import type { Looking } from "./kind.ts";
import { withAlpha } from "./kinds.ts";
import { shadowGate } from "./shadow.ts";

const settings = shadowGate.settings({ shadow: { latency: 0.3 } }, 5_000);
const gate = {
  ...settings,
  name: "copies",
  phases: ["shadow"],
  everyMs: 5_000,
  failures: 1,
  onInconclusive: "hold",
} as const;
const subject = {
  slot: "green",
  phase: "shadow",
  stepIndex: 0,
  split: { blue: 100, green: 0 },
} as unknown as GateSubject;

const counters = (requests: number, errors: number, slow: number): CountedSlot => ({
  requests,
  errors,
  latencies: {
    bounds: requests === 0 ? [] : [0.3, Number.POSITIVE_INFINITY],
    counts: requests === 0 ? [] : [requests - slow, requests],
  },
});

interface Rates {
  readonly errors?: number;
  readonly slow?: number;
}

/** Looks ten seconds apart, 500 requests to live in between, of which some share is copied. What is remembered goes through JSON. */
async function looks(release: Rates, copied: number, count: number) {
  let memory: unknown;
  let said: GateVerdict | undefined;
  const asked: CountersRequest[] = [];
  const of = (requests: number, { errors = 0.002, slow = 0.01 }: Rates) =>
    counters(requests, Math.round(requests * errors), Math.round(requests * slow));
  let look = 0;
  const io = {
    counters: (request: CountersRequest): Promise<CountersOutcome> => {
      asked.push(request);
      return Promise.resolve({
        kind: "read",
        atMs: look * 10_000,
        controller: "Traefik",
        where: "10.0.0.7:9100",
        slots: { blue: of(500 * look, {}), green: of(Math.round(500 * copied * look), release) },
        own: { blue: nothingSent, green: nothingSent },
        era: "one",
        isDisturbed: false,
        share: 0.5,
        isShareChecked: true,
        longestRequestMs: 0,
        steps: 1,
      });
    },
  } as unknown as GateIo;
  for (; look <= count && (said === undefined || said.verdict === "hold"); look++) {
    const looking: Looking = { io, memory: memory && JSON.parse(JSON.stringify(memory)) };
    ({ said, memory } = await shadowGate.look(looking, gate, subject, new AbortController().signal));
  }
  return { said, asked, looks: look };
}

describe("copies of clients' requests", () => {
  test("that are answered as their originals pass", async () => {
    const { said, asked } = await looks({}, 1, 60);
    expect(said).toMatchObject({
      verdict: "pass",
      evidence: expect.stringContaining("in green"),
      data: { source: { controller: "Traefik" } },
    });
    expect(new Set(asked.map(({ of }) => of))).toEqual(new Set(["copies"]));
  });

  test.each<[string, Rates]>([
    ["errors", { errors: 0.05 }],
    ["answers slower than 0.3 s", { slow: 0.1 }],
  ])("with more %s send the release back before a client gets to it", async (what, rates) => {
    const { said, looks: count } = await looks(rates, 1, 60);
    expect(said).toMatchObject({
      verdict: "fail",
      evidence: expect.stringContaining(`more ${what} than live`),
    });
    expect(count).toBeGreaterThan(3);
  });

  test("that do not arrive show nothing", async () => {
    const { said } = await looks({}, 0.5, 60);
    expect(said).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("of what is counted are copies in green, 50 % are declared"),
    });
    expect((await looks({}, 0, 8)).said).toMatchObject({
      verdict: expect.not.stringMatching(/^(pass|fail)$/),
    });
  });
});

describe("a gate that compares copies", () => {
  const problems = (input: object) =>
    shadowGate.problems?.({ name: "copies", shadow: {} }, { input })?.map(({ message }) => message);

  test("needs some", () => {
    expect(problems({ rollout: { shadow: 60 } })).toEqual([]);
    expect(problems({ rollout: {} })).toEqual([expect.stringContaining("rollout.shadow: 120")]);
  });

  test("has its part of alpha with or without steps", () => {
    for (const hasSteps of [true, false]) {
      expect(withAlpha([gate], 0.02, hasSteps)).toEqual([expect.objectContaining({ alpha: 0.02 })]);
    }
  });
});
