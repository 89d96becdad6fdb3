import { expect, test } from "vitest";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { realShareNotes } from "./real-shares.ts";

const config = (router: ResolvedConfig["router"], ...weights: readonly number[]) =>
  ({
    name: "fraud",
    router,
    rollout: { steps: weights.map((weight) => ({ weight, holdMs: 0 })) },
  }) as unknown as ResolvedConfig;

test("says which steps the controller cannot share as they are declared, for these replicas", () => {
  const [note] = realShareNotes(config("haproxy", 1, 25, 1), "blue", { live: 3, next: 4 });
  expect(note).toMatchObject({ code: "share-not-exact" });
  expect(note?.message).toMatch(/3 replicas of blue and 4 replicas of green .*: 1 % is 0\.518 %\./);
});

test("says nothing where shares are exact, where nobody is served, and of routers that share as declared", () => {
  expect(realShareNotes(config("haproxy", 25, 50), "green", { live: 3, next: 4 })).toEqual([]);
  expect(realShareNotes(config("haproxy", 1), "blue", { live: 0, next: 4 })).toEqual([]);
  expect(realShareNotes(config("haproxy-tech", 1), "blue", { live: 3, next: 4 })).toEqual([]);
});
