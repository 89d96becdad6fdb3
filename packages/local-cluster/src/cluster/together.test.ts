import { describe, expect, it } from "vitest";
import { interrupted } from "../../../../src/support.ts";
import { together } from "./together.ts";

const signal = new AbortController().signal;

const untilAborted = (inner: AbortSignal) =>
  new Promise<never>((_, reject) => inner.addEventListener("abort", () => reject(interrupted("A part"))));

describe("together", () => {
  it("gives the result once every part has ended", async () => {
    let ended = false;
    const result = await together(signal, async (_inner, also) => {
      void also(
        new Promise((resolve) => setTimeout(resolve, 10)).then(() => {
          ended = true;
        }),
      );
      return "result";
    });
    expect([result, ended]).toEqual(["result", true]);
  });

  it("rejects with what failed first, and stops the other parts", async () => {
    const work = together(signal, async (inner, also) => {
      const waiting = also(untilAborted(inner));
      void also(Promise.reject(new Error("the cause")));
      await waiting;
    });
    await expect(work).rejects.toThrow("the cause");
  });

  it("names the cause even when an interrupted part was noticed before it", async () => {
    const work = together(signal, async (_inner, also) => {
      const late = also(new Promise((_, reject) => setTimeout(() => reject(new Error("the cause")), 5)));
      void also(Promise.reject(interrupted("A part")));
      await late;
    });
    await expect(work).rejects.toThrow("the cause");
  });

  it("stops when the signal from outside aborts", async () => {
    const outer = new AbortController();
    const work = together(outer.signal, async (inner, also) => also(untilAborted(inner)));
    outer.abort();
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
  });
});
