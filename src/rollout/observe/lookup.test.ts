import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { inTime } from "./lookup.ts";

test("a name service that does not answer is given up", async () => {
  const clock = new FakeClock();
  const startedAt = clock.now();
  await expect(inTime(new Promise<never>(() => undefined), clock)).rejects.toThrow(
    "the name service does not answer within 5 s",
  );
  expect(clock.now() - startedAt).toBe(5_000);
});

test("an answer, and an error, come through", async () => {
  expect(await inTime(Promise.resolve([1]))).toEqual([1]);
  await expect(inTime(Promise.reject(new Error("ENOTFOUND")))).rejects.toThrow("ENOTFOUND");
});
