import { describe, expect, test } from "vitest";
import { settledOn, splitOf } from "../routing.ts";
import { plan, reaching, Simulation } from "./simulation.fixture.ts";
import { type PlannedHook, phases } from "./state.ts";

describe("a rollout", () => {
  test("goes through all its phases by itself and ends with all traffic on the target", () => {
    const run = new Simulation(reaching);
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
    expect(run.phasesSeen).toEqual([...phases, "done"]);
    expect(run.routing).toEqual(settledOn("green"));
    expect(run.state.outcome).toBe("released");
    expect(run.pods.blue.desired).toBe(0);
  });

  test("holds each step for its time", () => {
    const run = new Simulation(plan);
    const holds: (number | undefined)[] = [];
    while (run.state.phase !== "cut-over") {
      const at = run.now;
      const action = run.step();
      if (action.kind === "wait" && action.for === "hold") holds.push((action.until ?? 0) - at);
    }
    expect(holds).toEqual([120_000, 300_000]);
  });

  test("without weights cuts over in one write", () => {
    const run = new Simulation(plan, false);
    run.finish();
    expect(run.routing).toEqual(settledOn("green"));
  });

  test("promoted, skips the steps and holds that are left, never readiness", () => {
    const run = new Simulation(plan);
    run.send({ kind: "promote" });
    const waits: string[] = [];
    while (run.state.phase !== "drain") {
      const action = run.step();
      if (action.kind === "wait") waits.push(action.for);
    }
    expect(new Set(waits)).toEqual(new Set(["readiness", "settling"]));
  });

  test("paused before the cut-over, stays there", () => {
    const run = new Simulation({ ...plan, steps: [] });
    while (run.state.phase !== "cut-over") run.step();
    run.send({ kind: "pause" });
    while (splitOf(run.routing).green === 0) {
      if (run.step().kind === "rest") break;
    }
    expect(splitOf(run.routing)).toEqual({ blue: 100, green: 0 });
  });

  test("paused, stays where it is; resumed, goes on", () => {
    const run = new Simulation(plan);
    while (!(run.state.phase === "shift" && run.state.stepIndex === 1)) run.step();
    run.send({ kind: "pause" });
    // The command ends then: Pulumi's state gets the routing first.
    expect(run.step()).toEqual({ kind: "follow" });
    expect(run.step()).toEqual({ kind: "rest", why: "paused" });
    expect(splitOf(run.routing)).toEqual({ blue: 95, green: 5 });
    run.send({ kind: "resume" });
    run.finish();
    expect(run.state.outcome).toBe("released");
  });

  test.each([...phases])("aborted in the phase %s, traffic is on one slot that serves", (phase) => {
    const run = new Simulation(reaching);
    while (run.state.phase !== phase) run.step();
    run.send({ kind: "abort", reason: "a gate failed", at: run.now });
    run.finish();
    const over = phase === "scale-down";
    const wasLive = phase === "soak" || phase === "drain";
    expect(run.state.outcome).toBe(over ? "released" : wasLive ? "rolled-back" : "aborted");
    expect(run.routing).toEqual(settledOn(over ? "green" : "blue"));
    expect(run.pods[over ? "green" : "blue"].ready).toBe(3);
    expect(run.pods[over ? "blue" : "green"].desired).toBe(0);
  });

  test.each(["deploy", "warm-up", "verify"] as const)(
    "taken back in the phase %s, before clients saw anything of it, asks the ingress nothing",
    (phase) => {
      const run = new Simulation(plan);
      while (run.state.phase !== phase) run.step();
      run.send({ kind: "abort", reason: "it cannot be told apart", at: run.now });
      const actions = Array.from({ length: 20 }, () => run.step().kind);
      expect(actions.at(-1)).toBe("rest");
      expect(actions).not.toContain("prove");
      expect(run.state.outcome).toBe("aborted");
      expect(run.pods.green.desired).toBe(0);
    },
  );

  test("testers get what everybody gets while the release has no ready pod, and have it again when it is whole", () => {
    const run = new Simulation(reaching);
    while (run.routing.testers === undefined) run.step();
    expect([run.state.phase, run.routing]).toEqual(["verify", { ...settledOn("blue"), testers: "green" }]);
    run.setReady("green", 0);
    run.step();
    expect(run.routing).toEqual(settledOn("blue"));
    run.gates = "hold";
    run.setReady("green", 2);
    run.step();
    expect(run.routing.testers).toBeUndefined();
    run.setReady("green", 3);
    run.step();
    expect(run.routing.testers).toBe("green");
  });

  test("a slot that gets copies gets no share before they have ended, also where somebody is in a hurry", () => {
    const run = new Simulation(reaching, true, false);
    while (run.routing.mirror === undefined) run.step();
    expect(splitOf(run.routing)).toEqual({ blue: 100, green: 0 });
    run.send({ kind: "promote" });
    while (splitOf(run.routing).green === 0) run.step();
    expect(run.routing.mirror).toBeUndefined();
  });

  test("goes back to a slot with fewer pods, but not to one with none", () => {
    const run = new Simulation(plan);
    while (run.state.phase !== "soak") run.step();
    run.setReady("blue", 0);
    run.send({ kind: "abort", reason: "a gate failed", at: run.now });
    expect(run.finish()).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("blue has no ready pod"),
    });
    expect(splitOf(run.routing).green).toBe(100);
    run.setReady("blue", 1);
    run.finish();
    expect(run.routing).toEqual(settledOn("blue"));
  });

  test("does not scale down a slot that somebody sent traffic to", () => {
    const run = new Simulation(plan);
    while (run.state.phase !== "drain") run.step();
    run.routing = { ...run.routing, weight: 10 };
    expect(run.finish()).toMatchObject({ kind: "blocked" });
    expect(run.pods.blue.desired).toBe(3);
  });
});

describe("what people lay down", () => {
  const hooks: PlannedHook[] = [
    { name: "tell", when: "before", phase: "shift" },
    { name: "check", when: "before", phase: "shift" },
    { name: "thank", when: "after", phase: "cut-over" },
  ];

  test("hooks are run before and after their phases, in their order, and none on the way back", () => {
    const run = new Simulation({ ...plan, hooks });
    run.finish();
    expect(run.hooksRun).toEqual(["before shift: tell", "before shift: check", "after cut-over: thank"]);
    const back = new Simulation({ ...plan, hooks: [{ name: "tell", when: "before", phase: "cut-over" }] });
    while (back.state.phase !== "shift") back.step();
    back.send({ kind: "abort", reason: "no", at: back.now });
    back.finish();
    expect(back.hooksRun).toEqual([]);
  });

  test("a hook whose end was not recorded is run again", () => {
    const run = new Simulation({ ...plan, hooks });
    while (run.state.phase !== "shift") run.step();
    run.step("killed");
    run.finish();
    expect(run.hooksRun.filter((name) => name.endsWith("tell"))).toHaveLength(2);
  });

  test("an approval is waited for, and holds for its phase only", () => {
    const run = new Simulation({ ...plan, approval: ["shift", "cut-over"] });
    expect(run.finish()).toEqual({ kind: "held", by: { kind: "approval", phase: "shift" } });
    expect(run.routing).toEqual(settledOn("blue"));
    run.send({ kind: "approve", phase: "shift" });
    expect(run.finish()).toEqual({ kind: "held", by: { kind: "approval", phase: "cut-over" } });
    expect(splitOf(run.routing).green).toBe(25);
    run.send({ kind: "promote" });
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
  });

  test("traffic moves in a window only; a way back needs none", () => {
    const run = new Simulation(plan);
    run.window = { kind: "closed", reason: "it is night", opensAt: 5 };
    expect(run.finish()).toEqual({ kind: "held", by: { kind: "window", reason: "it is night", opensAt: 5 } });
    expect(run.state.phase).toBe("shift");
    run.window = { kind: "open" };
    while (splitOf(run.routing).green === 0) run.step();
    run.window = { kind: "closed", reason: "it is night", opensAt: undefined };
    expect(run.finish()).toMatchObject({ kind: "held" });
    run.send({ kind: "abort", reason: "no", at: run.now });
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
    expect(run.routing).toEqual(settledOn("blue"));
  });

  test("in a closed window it goes on where somebody says so", () => {
    const run = new Simulation(plan);
    run.window = { kind: "closed", reason: "a freeze", opensAt: undefined };
    run.finish();
    run.send({ kind: "ignore-windows" });
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
  });
});
