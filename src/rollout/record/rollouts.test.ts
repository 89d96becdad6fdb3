import { describe, expect, test } from "vitest";
import { type JournalEntry, withEntries } from "./journal-entry.ts";
import {
  boundedOutcomes,
  memoriesOf,
  type RolloutOutcomeRecord,
  type RolloutRecordEntry,
} from "./rollouts.ts";

const at = "2026-11-23T08:00:00Z";
const step = (text: string): JournalEntry => ({ at, kind: "step", text, result: "done" });

test("what older versions remembered of pods is the memory of their gate", () => {
  const pods = { a: { name: "fraud-green-0", restarts: 1 } };
  const entry = (more: Partial<RolloutRecordEntry>) => memoriesOf(more as RolloutRecordEntry);
  expect(entry({ pods })).toEqual({ pods });
  expect(entry({ pods, gates: { pods: {}, live: { step: 1 } } })).toEqual({ pods: {}, live: { step: 1 } });
  expect(entry({})).toEqual({});
});

describe("a journal", () => {
  test("keeps who did what and when, however much is seen in between", () => {
    const phase: JournalEntry = { at, kind: "phase", text: "shift" };
    const request: JournalEntry = { at, kind: "request", text: "ada: approve" };
    const seen = Array.from({ length: 1_000 }, (_, index) => step(`step ${index}`));
    const kept = withEntries([...seen.slice(0, 50), phase, request], seen);
    expect(kept.length).toBe(120);
    expect(kept).toContainEqual(phase);
    expect(kept).toContainEqual(request);
    expect(kept[0]).toEqual(step("step 0"));
    expect(kept.at(-1)).toEqual(step("step 999"));
  });

  test("has one entry of a gate that holds, the newest", () => {
    const hold = (evidence: string): JournalEntry => ({ at, kind: "gate", text: "smoke, shift", evidence });
    const pass: JournalEntry = { ...hold("enough"), result: "pass" };
    expect(withEntries([hold("1 of 3")], [hold("2 of 3"), pass, hold("1 of 3")])).toEqual([
      hold("2 of 3"),
      pass,
      hold("1 of 3"),
    ]);
  });
});

test("of older rollouts the digest is kept, not the report; large ones make room by their bytes", () => {
  const outcome = (number: number, text: string) =>
    ({
      number,
      sha256: `digest ${number}`,
      report: { sha256: `digest ${number}`, text },
    }) as unknown as RolloutOutcomeRecord;
  const small = boundedOutcomes(Array.from({ length: 60 }, (_, index) => outcome(index, "")));
  expect(small).toHaveLength(50);
  expect(small.filter(({ report }) => report !== undefined)).toHaveLength(10);
  expect(small[0]).toEqual({ number: 10, sha256: "digest 10" });
  const large = boundedOutcomes([outcome(1, "語".repeat(100_000)), outcome(2, "語".repeat(50_000))]);
  expect(large.map(({ report }) => report !== undefined)).toEqual([false, true]);
});
