import { describe, expect, test } from "vitest";
import { subject } from "../calls/calls.fixture.ts";
import type { CountersOutcome, GateIo } from "./io.ts";
import { trafficGate } from "./traffic.ts";

const latencies = { bounds: [], counts: [] };
const nothing = { requests: 0, errors: 0, seconds: [] };

/** Looks at a gate `traffic` whose slots had so many requests and errors by then. */
function lookAt(memory: unknown, look: number, errors: { blue: number; green: number }) {
  const of = (each: number) => ({ requests: 500 * look, errors: each * look, latencies });
  const read: CountersOutcome = {
    kind: "read",
    atMs: look * 10_000,
    controller: "Traefik",
    where: "here",
    slots: { blue: of(errors.blue), green: of(errors.green) },
    own: { blue: nothing, green: nothing },
    era: "one",
    isDisturbed: false,
    isShareChecked: false,
    longestRequestMs: 0,
    steps: 1,
  };
  const gate = {
    ...{ name: "traffic", phases: ["shift"] as const, everyMs: 1, failures: 1 },
    onInconclusive: "hold" as const,
    ...trafficGate.settings({ traffic: { latency: false } }, 1_000),
  };
  const io = { counters: () => Promise.resolve(read) } as unknown as GateIo;
  const shift = { ...subject, phase: "shift", slot: "green", split: { blue: 50, green: 50 } } as const;
  return trafficGate.look({ io, memory }, gate, { ...shift, stepIndex: 0 }, new AbortController().signal);
}

/** Looks until something was decided, with what a record keeps. */
async function decided(memory: unknown) {
  let kept = memory;
  for (let look = 0; look < 30; look++) {
    const { said, memory: next } = await lookAt(kept, look, { blue: 1, green: 60 });
    kept = JSON.parse(JSON.stringify(next));
    if (said.verdict === "fail") return { said, look, memory: kept };
  }
  throw new Error("It never says.");
}

describe("evidence that cannot be read any more", () => {
  const own = { new: { requests: 1, events: {} }, live: { requests: 1, events: {} } };
  const shares = { live: { requests: 1, events: 0 }, evidence: [[null, 0, 0, 0, 0, 0, 0, 0, 0]] };
  test.each<readonly [string, unknown]>([
    ["of another shape", { counters: {}, era: "one", live: { metrics: { errors: {} } } }],
    [
      "of a metric with a number that is none",
      {
        counters: { isDisturbed: false },
        era: "one",
        live: {
          step: 0,
          stepMs: 0,
          seen: { newRequests: 0, requests: 0 },
          metrics: { errors: { fail: shares } },
        },
      },
    ],
    [
      "of readings without own requests",
      { counters: { since: { atMs: 1, own: { new: own.new } } }, era: "" },
    ],
    ["a text", "evidence"],
  ])("%s begins anew with half of alpha, and says so", async (_, memory) => {
    const { said } = await lookAt(memory, 1, { blue: 1, green: 1 });
    expect(said.evidence).toContain(
      "1 restart with lost evidence: this gate sends a good release back with at most 7.5 %, not 5 %",
    );
    const later = await decided(memory);
    expect(later.said.evidence).toContain("1 restart with lost evidence");
    expect(later.memory).toMatchObject({ lostEvidence: 1 });
    // Half of alpha needs more.
    expect(JSON.stringify(later.said.data)).toContain('"alpha":0.025');
  });

  test("lost twice costs once more, and nothing that is there is lost", async () => {
    const { memory } = await lookAt({ lostEvidence: 1, since: { counters: "?" } }, 1, { blue: 1, green: 1 });
    expect(memory).toMatchObject({ lostEvidence: 2 });
    const fresh = await decided(undefined);
    expect(fresh.said.evidence).not.toContain("lost");
    expect(fresh.memory).not.toHaveProperty("lostEvidence");
  });
});
