import { describe, expect, test } from "vitest";
import { noReading, type Reading, type ReadingOutcome, withReading } from "./counters.ts";

const none = { requests: 0, events: { errors: 0 } };

function reading(atSeconds: number, change: Partial<Reading> = {}): Reading {
  return {
    atMs: atSeconds * 1000,
    new: { requests: 10 * atSeconds, events: { errors: atSeconds } },
    live: { requests: 90 * atSeconds, events: { errors: 2 * atSeconds } },
    own: { new: none, live: none },
    share: 0.1,
    isDisturbed: false,
    ...change,
  };
}

function outcomes(...readings: readonly Reading[]): readonly ReadingOutcome[] {
  let memory = noReading;
  return readings.map((one) => {
    const next = withReading(JSON.parse(JSON.stringify(memory)), one);
    memory = next.memory;
    return next.outcome;
  });
}

describe("blocks from counters", () => {
  test("short readings are added up to blocks of ten seconds", () => {
    expect(outcomes(reading(0), reading(4), reading(8), reading(12), reading(22))).toEqual([
      { kind: "open", why: "first-reading" },
      { kind: "open", why: "too-short" },
      { kind: "open", why: "too-short" },
      {
        kind: "blocks",
        durationMs: 12_000,
        blocks: { errors: { newEvents: 12, newRequests: 120, liveEvents: 24, liveRequests: 1080 } },
      },
      {
        kind: "blocks",
        durationMs: 10_000,
        blocks: { errors: { newEvents: 10, newRequests: 100, liveEvents: 20, liveRequests: 900 } },
      },
    ]);
  });

  test("longer blocks are possible, for slots whose events come in bursts", () => {
    const first = withReading(noReading, reading(0), 30_000);
    const second = withReading(first.memory, reading(20), 30_000);
    expect(second.outcome).toEqual({ kind: "open", why: "too-short" });
    expect(withReading(second.memory, reading(30), 30_000).outcome).toMatchObject({ durationMs: 30_000 });
  });

  test("a counter that began again drops the block, also a short one", () => {
    const restarted = reading(5, { new: { requests: 3, events: { errors: 0 } } });
    expect(outcomes(reading(1), restarted, reading(15)).map(({ kind }) => kind)).toEqual([
      "open",
      "dropped",
      "blocks",
    ]);
  });

  test("so does one that is already above what it was when the block began", () => {
    const counted = (requests: number) => ({ new: { requests, events: { errors: 0 } } });
    const kinds = outcomes(
      reading(0, counted(5)),
      reading(4, counted(500)),
      reading(8, counted(40)),
      reading(18, counted(140)),
    ).map(({ kind }) => kind);
    expect(kinds).toEqual(["open", "open", "dropped", "blocks"]);
  });

  test("a share that changed and a proof drop it, each once", () => {
    expect(outcomes(reading(0), reading(10, { share: 0.5 }), reading(20, { share: 0.5 }))).toMatchObject([
      { kind: "open" },
      { kind: "dropped", why: "share-changed" },
      { kind: "blocks" },
    ]);
    expect(outcomes(reading(0), reading(3, { isDisturbed: true }), reading(13))).toMatchObject([
      { kind: "open" },
      { kind: "dropped", why: "disturbed" },
      { kind: "blocks" },
    ]);
  });

  test("a reading without one of the slots ends no block: nothing of it is lost", () => {
    expect(outcomes(reading(0), reading(10, { live: undefined }), reading(20))).toMatchObject([
      { kind: "open" },
      { kind: "open", why: "slot-missing" },
      { kind: "blocks", blocks: { errors: { newRequests: 200, liveRequests: 1800 } } },
    ]);
    expect(outcomes(reading(0, { new: undefined }), reading(10))).toMatchObject([
      { why: "slot-missing" },
      { why: "first-reading" },
    ]);
  });

  test("what the product itself sent is subtracted; what cannot be so drops the block", () => {
    const sent = { new: { requests: 40, events: { errors: 1 } }, live: none };
    expect(outcomes(reading(0), reading(10, { own: sent }))[1]).toMatchObject({
      blocks: { errors: { newEvents: 9, newRequests: 60 } },
    });
    const more = { new: { requests: 101, events: { errors: 0 } }, live: none };
    expect(outcomes(reading(0), reading(10, { own: more }))[1]).toMatchObject({ kind: "dropped" });
  });

  test("a metric that one slot does not count is left out", () => {
    const other = { requests: 100, events: { errors: 1, slow: 3 } };
    expect(
      outcomes(reading(0, { new: other }), reading(10, { new: { ...other, requests: 200 } }))[1],
    ).toEqual({
      kind: "blocks",
      durationMs: 10_000,
      blocks: { errors: { newEvents: 0, newRequests: 100, liveEvents: 20, liveRequests: 900 } },
    });
  });
});
