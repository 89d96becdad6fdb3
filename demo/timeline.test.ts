import { expect, test } from "vitest";
import { Timeline } from "./timeline.ts";

test("counts by interval of the answer", () => {
  const timeline = new Timeline(100);
  timeline.answer(5, "1", 4);
  timeline.answer(99, "1", 9);
  timeline.answer(250, "2", 7);
  timeline.failure(260);
  expect(timeline.report()).toEqual({
    bucketMs: 100,
    buckets: [
      { answers: { "1": 2 }, failed: 0, maximumLatencyMs: 9 },
      { answers: {}, failed: 0, maximumLatencyMs: 0 },
      { answers: { "2": 1 }, failed: 1, maximumLatencyMs: 7 },
    ],
  });
});

test("stays bounded in a long run without losing a count", () => {
  const timeline = new Timeline(100, 50);
  for (let at = 0; at < 60_000; at += 10) {
    timeline.answer(at, at < 30_000 ? "1" : "2", 1);
    if (at % 1000 === 0) timeline.failure(at);
  }
  const { bucketMs, buckets } = timeline.report();
  expect(bucketMs).toBe(1600);
  expect(buckets.length).toBeLessThanOrEqual(50);
  const sum = (version: string) =>
    buckets.reduce((total, bucket) => total + (bucket.answers[version] ?? 0), 0);
  expect(sum("1")).toBe(3000);
  expect(sum("2")).toBe(3000);
  expect(buckets.reduce((total, bucket) => total + bucket.failed, 0)).toBe(60);
});
