import { describe, expect, test } from "vitest";
import {
  type DrainMemory,
  describeInFlight,
  drainedAfter,
  type InFlight,
  inFlightOf,
  nothingSeen,
} from "./evidence.ts";

describe("inFlightOf", () => {
  test("adds up the pods", () => {
    const pods = [
      { pod: "a", requests: 2 },
      { pod: "b", requests: 1 },
    ];
    expect(describeInFlight(inFlightOf(pods))).toBe("in-progress gauge of 2 pods: 3");
  });

  test("one pod that says nothing makes it unknown, and so does no pod at all", () => {
    const seen = inFlightOf([
      { pod: "a", requests: 0 },
      { pod: "b", why: "HTTP 404" },
      { pod: "c", why: "HTTP 500" },
    ]);
    expect(describeInFlight(seen)).toBe("nothing shows requests in flight (b: HTTP 404 (and 1 more))");
    expect(inFlightOf([]).kind).toBe("unknown");
  });
});

describe("drainedAfter", () => {
  const idle: InFlight = { kind: "known", requests: 0, pods: 2 };
  const busy: InFlight = { kind: "known", requests: 1, pods: 2 };
  const unknown: InFlight = { kind: "unknown", why: "HTTP 404" };

  /** What the looks say, each a tenth of a second long. */
  function looks(lagMs: number, ...all: readonly (readonly [number, InFlight])[]) {
    let memory: DrainMemory = nothingSeen;
    return all.map(([startedAt, seen]) => {
      const after = drainedAfter(memory, seen, { startedAt, endedAt: startedAt + 100, lagMs });
      memory = after.memory;
      return after.drained;
    });
  }

  test("takes two looks in a row, a second apart", () => {
    expect(looks(0, [0, idle], [1_050, idle], [1_100, idle])).toEqual([false, false, true]);
    expect(looks(0, [0, busy], [1_000, idle], [2_000, busy], [3_000, idle], [4_200, idle])).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  test("starts again where nothing can be seen meanwhile", () => {
    expect(looks(0, [0, idle], [1_200, unknown], [2_400, idle], [3_600, idle])).toEqual([
      false,
      undefined,
      false,
      true,
    ]);
  });

  test("waits for longer than the metrics are late", () => {
    expect(looks(10_000, [0, idle], [5_000, idle], [10_100, idle])).toEqual([false, false, true]);
  });
});
