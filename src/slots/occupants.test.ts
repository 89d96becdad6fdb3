import { expect, test } from "vitest";
import type { PodObservation } from "./observation.ts";
import { occupants, presentPods } from "./occupants.ts";

const now = Date.parse("2026-11-23T08:00:00Z");
const pod = (name: string, changes: Partial<PodObservation> = {}): PodObservation => ({
  name,
  phase: "Running",
  ready: true,
  terminating: false,
  former: false,
  problem: undefined,
  ...changes,
});
const names = (pods: readonly PodObservation[]) => pods.map(({ name }) => name);

test("pods that have ended hold nothing; those that are ending do", () => {
  const pods = [
    pod("evicted", { phase: "Failed" }),
    pod("over", { phase: "Succeeded" }),
    pod("held by a finalizer", { phase: "Failed", terminating: true, endsBy: now - 600_000 }),
    pod("ending", { terminating: true, endsBy: now + 20_000 }),
    pod("a little late", { terminating: true, endsBy: now - 5_000 }),
    pod("pending", { phase: "Pending" }),
  ];
  const { holding, lost } = occupants({ pods }, now);
  expect(names(holding)).toEqual(["ending", "a little late", "pending"]);
  expect(lost).toEqual([]);
});

test("a pod that should have ended long ago is lost: its node will not say that it has", () => {
  const pods = [pod("on a dead node", { terminating: true, ready: false, endsBy: now - 31_000 })];
  expect(occupants({ pods }, now)).toMatchObject({ holding: [], lost: [{ name: "on a dead node" }] });
});

test("present are those of what the slot runs now", () => {
  const pods = [
    pod("a"),
    pod("former", { former: true }),
    pod("stray", { stray: true }),
    pod("evicted", { phase: "Failed" }),
    pod("ending", { terminating: true }),
  ];
  expect(names(presentPods({ pods }))).toEqual(["a"]);
});
