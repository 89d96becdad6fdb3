import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { within } from "./lookup.ts";

test("a name service that does not answer is given up", async () => {
  const clock = new FakeClock();
  const startedAt = clock.now();
  await expect(within(new Promise<never>(() => undefined), 5_000, clock)).rejects.toThrow(
    "the name service does not answer within 5 s",
  );
  expect(clock.now() - startedAt).toBe(5_000);
});

test("an answer, and an error, come through", async () => {
  expect(await within(Promise.resolve(1), 5_000)).toBe(1);
  await expect(within(Promise.reject(new Error("ENOTFOUND")), 5_000)).rejects.toThrow("ENOTFOUND");
});
