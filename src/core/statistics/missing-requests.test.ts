import { describe, expect, test } from "vitest";
import { type Block, emptyBlock } from "./block.ts";
import { errorLines } from "./lines.ts";
import { missingRequests } from "./missing-requests.ts";

const live: Block = { newEvents: 0, newRequests: 0, liveEvents: 500, liveRequests: 100_000 };

describe("requests that a step still lacks", () => {
  test("are those of the plan, less what the step has seen", () => {
    const none = missingRequests({ inAll: live, inStep: emptyBlock }, errorLines, 0.25);
    expect(none.live).toBeCloseTo(0.005, 4);
    expect(none.bad).toBeCloseTo(0.014, 3);
    // 7,099 by the method's sheet, and a tenth more.
    expect(none.requests).toBeGreaterThan(7_700);
    expect(none.requests).toBeLessThan(7_950);
    const inStep = { ...emptyBlock, newRequests: 1_000, liveRequests: 3_000 };
    expect(missingRequests({ inAll: live, inStep }, errorLines, 0.25).requests).toBe(none.requests - 4_000);
    const enough = { ...emptyBlock, newRequests: 10_000, liveRequests: 30_000 };
    expect(missingRequests({ inAll: live, inStep: enough }, errorLines, 0.25).requests).toBe(0);
  });

  test("are never enough where only one slot gets requests", () => {
    const seen = { inAll: live, inStep: emptyBlock };
    expect(missingRequests(seen, errorLines, 1).requests).toBe(Number.POSITIVE_INFINITY);
    expect(missingRequests(seen, errorLines, 0).requests).toBe(Number.POSITIVE_INFINITY);
  });

  test("a live slot without any event has a rate all the same", () => {
    const { live: rate, requests } = missingRequests(
      { inAll: { ...live, liveEvents: 0 }, inStep: emptyBlock },
      errorLines,
      0.5,
    );
    expect(rate).toBeGreaterThan(0);
    expect(Number.isFinite(requests)).toBe(true);
  });
});
