import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SharedProgress, throttled } from "./progress.ts";

test("counts are passed on four times a second, news and the end at once", () => {
  let now = 0;
  const seen: unknown[] = [];
  const progress = throttled((update) => seen.push(update.progress?.done ?? update.detail), {
    now: () => now,
  });
  for (let done = 0; done <= 1000; done += 1) {
    now += 1;
    progress({ detail: "downloading", progress: { done, total: 1000, unit: "bytes" } });
  }
  progress({ detail: "unpacking" });
  expect(seen).toEqual([0, 250, 500, 750, 1000, "unpacking"]);
});

test("progress is shared through a file, and a missing or broken one is no progress", async () => {
  const lock = join(await mkdtemp(join(tmpdir(), "progress-")), "x.lock");
  const shared = new SharedProgress(lock);
  expect(await shared.read()).toEqual({});
  const update = { detail: "compiling", progress: { done: 1, total: 2, unit: "packages" }, remainingMs: 5 };
  shared.write({ detail: "earlier" });
  shared.write(update);
  await expect.poll(() => shared.read()).toEqual(update);
  await shared.remove();
  expect(await shared.read()).toEqual({});
});
