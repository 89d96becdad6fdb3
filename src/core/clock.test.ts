import { describe, expect, test } from "vitest";
import { systemClock } from "./clock.ts";

describe("the system clock", () => {
  test("sleeps", async () => {
    const before = systemClock.now();
    await systemClock.sleep(20);
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(15);
  });

  test("wakes up when the signal aborts", async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  });

  test("does not fall asleep after an abort", async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort())).rejects.toMatchObject({
      code: "interrupted",
    });
  });
});
