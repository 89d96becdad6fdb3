import { describe, expect, test } from "vitest";
import { interrupted } from "./errors.ts";
import { type Event, step } from "./events.ts";

const about = { id: "ready", title: "Wait for replicas" };

describe("step", () => {
  test("reports its start, its progress and its evidence", async () => {
    const events: Event[] = [];
    const result = await step(
      (event) => events.push(event),
      about,
      async (progress) => {
        progress({ detail: "1 of 2 ready", progress: { done: 1, total: 2, unit: "replicas" } });
        return 2;
      },
      (count) => `${count} of 2 ready`,
    );
    expect(result).toBe(2);
    expect(events).toEqual([
      { type: "step", ...about, state: "started" },
      {
        type: "step",
        ...about,
        state: "progress",
        detail: "1 of 2 ready",
        progress: { done: 1, total: 2, unit: "replicas" },
      },
      { type: "step", ...about, state: "done", detail: "2 of 2 ready" },
    ]);
  });

  test("reports a failure and lets it through", async () => {
    const events: Event[] = [];
    const failing = step(
      (event) => events.push(event),
      about,
      () => Promise.reject(new Error("no image")),
    );
    await expect(failing).rejects.toThrow("no image");
    expect(events.at(-1)).toMatchObject({ state: "failed", detail: "no image" });
  });

  test("that somebody stopped has not failed", async () => {
    const events: Event[] = [];
    const stopped = step(
      (event) => events.push(event),
      about,
      () => Promise.reject(interrupted("A wait")),
    );
    await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
    expect(events.at(-1)).toEqual({ type: "step", ...about, state: "interrupted" });
  });
});
