import { expect, test } from "vitest";
import { loadLimits } from "./load.ts";
import { longestLoadMs, requireLoadUntil } from "./run.ts";

test("the load lasts for all pauses between switches, within its limit", () => {
  expect(longestLoadMs(5)).toBe(20 * 60_000 + 20_000);
  expect(longestLoadMs(600)).toBeGreaterThanOrEqual(4 * 600_000);
  expect(longestLoadMs(600)).toBeLessThanOrEqual(loadLimits.durationMs);
});

test("a load that ended before the last switch proves nothing", () => {
  const load = { startedAt: 1_000_000, durationMs: 60_000 };
  expect(() => requireLoadUntil(1_060_000, load)).not.toThrow();
  expect(() => requireLoadUntil(1_060_001, load)).toThrow("before the last switch");
});
