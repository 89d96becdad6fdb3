import { describe, expect, it } from "vitest";
import type { Clock } from "../../../../src/support.ts";
import { waitUntil } from "./wait.ts";

function fastClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}

const signal = new AbortController().signal;

describe("waitUntil", () => {
  it("asks until the answer is true, and reports what is missing when that changes", async () => {
    const states = ["a", "a", "b", true] as const;
    let asked = 0;
    const reports: unknown[] = [];
    await waitUntil(async () => states[asked++] ?? true, {
      clock: fastClock(),
      signal,
      deadlineMs: 10_000,
      what: "it",
      typicalMs: 250,
      progress: (update) => reports.push(update),
    });
    expect(reports).toEqual([
      { detail: "a", remainingMs: 250 },
      { detail: "b", remainingMs: 50 },
    ]);
  });

  it("gives no estimate once it takes longer than usual", async () => {
    const reports: { remainingMs?: number }[] = [];
    let asked = 0;
    await waitUntil(async () => (asked++ < 25 ? "a" : true), {
      clock: fastClock(),
      signal,
      deadlineMs: 10_000,
      what: "it",
      typicalMs: 1_500,
      progress: (update) => reports.push(update),
    });
    expect(reports.map(({ remainingMs }) => remainingMs)).toEqual([1_500, 500, undefined]);
  });

  it("fails at the deadline with what was missing last", async () => {
    const waiting = waitUntil(async () => "no node", {
      clock: fastClock(),
      signal,
      deadlineMs: 3_000,
      what: "the node",
      hint: "look",
    });
    await expect(waiting).rejects.toMatchObject({
      code: "wait-timeout",
      message: "Waited 3 s for the node: no node.",
      hint: "look",
    });
  });
});
