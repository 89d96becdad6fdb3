import { describe, expect, test } from "vitest";
import { settledOn } from "../routing.ts";
import { plan, Simulation } from "./simulation.fixture.ts";

describe("gates", () => {
  test.each(["verify", "shift", "soak"] as const)(
    "a gate that fails in %s sends the traffic back",
    (phase) => {
      const run = new Simulation(plan);
      while (
        !(run.state.phase === phase && run.state.proved) &&
        !(phase === "soak" && run.state.phase === phase)
      )
        run.step();
      run.gates = "fail";
      run.finish();
      expect(run.state).toMatchObject({
        reason: "they say fail",
        outcome: phase === "soak" ? "rolled-back" : "aborted",
      });
      expect(run.routing).toEqual(settledOn("blue"));
    },
  );

  test("one that says nothing yet is waited for; one that cannot tell holds the rollout", () => {
    const run = new Simulation(plan);
    while (!(run.state.phase === "verify" && run.state.proved)) run.step();
    run.gates = "hold";
    expect(run.step()).toMatchObject({ kind: "wait", for: "gates" });
    run.gates = "inconclusive";
    expect(run.finish()).toEqual({ kind: "held", by: { kind: "gates", reason: "they say inconclusive" } });
    run.send({ kind: "promote" });
    expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
  });

  test("one that cannot tell takes traffic back where the user wants that, at the end of the phase alone", () => {
    const run = new Simulation(plan);
    while (!(run.state.phase === "shift" && run.state.proved)) run.step();
    run.gates = "inconclusive";
    run.onInconclusive = "back";
    expect(run.step()).toMatchObject({ kind: "wait", for: "hold" });
    run.finish();
    expect(run.state).toMatchObject({ reason: "they say inconclusive", outcome: "aborted" });
    expect(run.routing).toEqual(settledOn("blue"));
  });
});
