import { expect, test } from "vitest";
import { splitOf } from "../routing.ts";
import { declaredUntilNow } from "./declared.ts";
import { begin, type RolloutPlan } from "./state.ts";
import { transition } from "./transition.ts";

const plan: RolloutPlan = {
  readiness: "all",
  mode: { kind: "full" },
  replicas: 1,
  fromReplicas: 1,
  idleReplicas: 0,
  settleMs: 0,
  steps: [5, 25, 50].map((weight) => ({ weight, holdMs: 0 })),
  soakMs: 0,
  drainMs: 0,
  rollbackWindowMs: 0,
  approval: [],
  hooks: [],
  gates: false,
};

test("an ingress that is behind may show each share up to the step in force, or all of it", () => {
  const started = begin(plan, { release: 2, target: "green" }, 0, "shift");
  const shares = (state: typeof started) =>
    declaredUntilNow(plan, state).map((routing) => splitOf(routing).green);
  expect(shares(started)).toEqual([0, 5, 100]);
  const second = transition(plan, started, { kind: "completed", at: 0 });
  expect(shares(second)).toEqual([0, 5, 25, 100]);
  // Nobody knows whether the next share was written when it was taken back.
  expect(shares(transition(plan, second, { kind: "abort", reason: "", at: 0 }))).toEqual([0, 5, 25, 100]);
});

test("testers and copies come before any share that an ingress could be behind with", () => {
  const state = { ...begin(plan, { release: 2, target: "green" }, 0), phase: "shadow" } as const;
  expect(declaredUntilNow(plan, state).map((routing) => splitOf(routing).green)).toEqual([0]);
});
