import { describe, expect, test } from "vitest";
import { systemClock, within } from "./clock.ts";

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

describe("what comes within a time", () => {
  const never = new Promise<never>(() => undefined);

  test("is passed on, errors too", async () => {
    expect(await within({ clock: systemClock }, 60_000, Promise.resolve(1))).toBe(1);
    const refused = within({ clock: systemClock }, 60_000, Promise.reject(new Error("no")));
    await expect(refused).rejects.toThrow("no");
  });

  test("is not waited for longer, nor after a stop", async () => {
    expect(await within({ clock: systemClock }, 1, never)).toBeUndefined();
    expect(await within({ clock: systemClock, signal: AbortSignal.abort() }, 60_000, never)).toBeUndefined();
  });
});
