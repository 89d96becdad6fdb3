import { describe, expect, test } from "vitest";
import { settledOn, splitOf } from "../routing.ts";
import { next } from "./next.ts";
import { plan, Simulation } from "./simulation.fixture.ts";
import type { RolloutPlan } from "./state.ts";
import type { SlotWorld } from "./world.ts";

describe("modes", () => {
  test("partial: a share while previewing, as many as the traffic needs, all before the cut-over", () => {
    const run = new Simulation({ ...plan, replicas: 10, mode: { kind: "partial", percent: 20 } });
    const sizes: Record<string, number> = {};
    while (run.state.phase !== "soak") {
      run.step();
      sizes[`${run.state.phase} at ${splitOf(run.routing).green} %`] ??= run.pods.green.desired;
    }
    expect(sizes).toMatchObject({
      "verify at 0 %": 2,
      "shift at 5 %": 2,
      "shift at 25 %": 3,
      "cut-over at 100 %": 10,
    });
    run.finish();
    expect(run.state.outcome).toBe("released");
  });

  test("recreate: a window is waited for while the old slot still serves, never after", () => {
    const run = new Simulation({ ...plan, steps: [], mode: { kind: "recreate" } });
    run.window = { kind: "closed", reason: "it is night", opensAt: undefined };
    expect(run.finish()).toMatchObject({ kind: "held" });
    expect(run.pods.blue.ready).toBe(3);
    run.window = { kind: "open" };
    while (run.pods.blue.desired > 0) run.step();
    run.window = { kind: "closed", reason: "it is night", opensAt: undefined };
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
  });

  test("an autoscaler that was told to shrink a slot is not waited for", () => {
    const run = new Simulation({ ...plan, idleReplicas: 1, rollbackWindowMs: 0 });
    while (run.state.phase !== "scale-down") run.step();
    run.send({ kind: "followed" });
    const world = run.world();
    const slow = { ...world.slots.blue, declared: 1, autoscaled: true };
    const { slots: present } = world;
    const action = (blue: SlotWorld) => next(run.plan, run.state, { ...world, slots: { ...present, blue } });
    expect(action(slow)).toEqual({ kind: "complete" });
    expect(action({ ...slow, declared: 3 })).toMatchObject({ kind: "scale-down", replicas: 1 });
  });

  test("recreate: the old slot makes room first, and comes back where the new one fails", () => {
    const recreate: RolloutPlan = { ...plan, steps: [], mode: { kind: "recreate" } };
    const run = new Simulation(recreate);
    run.finish();
    expect(run.routing).toEqual(settledOn("green"));
    expect(run.pods).toMatchObject({ blue: { desired: 0 }, green: { ready: 3 } });
    for (const phase of ["deploy", "verify", "soak"] as const) {
      const back = new Simulation(recreate);
      while (back.state.phase !== phase || back.pods.green.desired === 0) back.step();
      back.send({ kind: "abort", reason: "it is bad", at: back.now });
      back.finish();
      expect(back.routing).toEqual(settledOn("blue"));
      expect(back.pods).toMatchObject({ blue: { desired: 3 }, green: { desired: 0 } });
      expect(back.pods.blue.ready).toBeGreaterThan(0);
    }
  });
});
