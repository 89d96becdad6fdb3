import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settledOn } from "../routing.ts";
import { otherSlot, type Slot, slots } from "../slots.ts";
import { plan, reaching, Simulation } from "./simulation.fixture.ts";
import { begin, goalOf, type PlannedHook, phases, type RolloutPlan, type RolloutState } from "./state.ts";
import { type RolloutEvent, transition } from "./transition.ts";
import type { GateWorld } from "./world.ts";

type Chaos =
  | { readonly kind: "step"; readonly how: "done" | "killed" | "unproved" }
  | { readonly kind: "ready"; readonly slot: Slot; readonly ready: number }
  | { readonly kind: "pass"; readonly ms: number }
  | {
      readonly kind: "event";
      readonly event: "pause" | "resume" | "promote" | "abort" | "approve" | "ignore-windows";
    }
  | { readonly kind: "gates"; readonly verdict: GateWorld["verdict"] }
  | { readonly kind: "window"; readonly isOpen: boolean }
  /** Somebody leads the canary to the slot that has the traffic anyway. */
  | { readonly kind: "disarm" };

/** An event with nothing special about it. */
function plain(kind: Exclude<RolloutEvent["kind"], "warmed">, state: RolloutState, at: number): RolloutEvent {
  switch (kind) {
    case "abort":
      return { kind, reason: "somebody", at };
    case "routed":
      return { kind, settled: true, at };
    case "completed":
    case "verified":
      return { kind, at };
    case "approve":
      return { kind, phase: state.phase };
    case "give-up":
      return { kind, reason: "it cannot begin", cause: "goal-silent" };
    case "arming":
    case "followed":
    case "hooked":
    case "ignore-windows":
    case "now":
    case "pause":
    case "resume":
    case "promote":
      return { kind };
  }
}

const anySlot = fc.constantFrom(...slots);

const chaos: fc.Arbitrary<Chaos> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("step" as const),
      how: fc.constantFrom(
        "done" as const,
        "done" as const,
        "done" as const,
        "killed" as const,
        "unproved" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("ready" as const), slot: anySlot, ready: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(400_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      event: fc.constantFrom(
        "pause" as const,
        "resume" as const,
        "promote" as const,
        "abort" as const,
        "approve" as const,
        "ignore-windows" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("gates" as const),
      verdict: fc.constantFrom("pass" as const, "fail" as const, "inconclusive" as const, "hold" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("window" as const), isOpen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disarm" as const) }) },
);

const someChaos = fc.array(chaos, { maxLength: 80 });

const anyHook: fc.Arbitrary<PlannedHook> = fc.record({
  name: fc.constantFrom("one", "two"),
  when: fc.constantFrom("before" as const, "after" as const),
  phase: fc.constantFrom(...phases),
});

/** Whether there are weights, and whether all of the traffic on a slot takes a commit. */
const anyMovement = fc.constantFrom([true, true] as const, [true, false] as const, [false, false] as const);

const anyPlan: fc.Arbitrary<RolloutPlan> = fc.record({
  readiness: fc.constantFrom("all" as const, "all" as const, "any" as const),
  mode: fc.oneof(
    fc.constant({ kind: "full" as const }),
    fc.record({ kind: fc.constant("partial" as const), percent: fc.integer({ min: 1, max: 99 }) }),
    fc.constant({ kind: "recreate" as const }),
  ),
  replicas: fc.integer({ min: 1, max: 4 }),
  fromReplicas: fc.integer({ min: 1, max: 3 }),
  idleReplicas: fc.integer({ min: 0, max: 1 }),
  settleMs: fc.nat(10_000),
  steps: fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
    .map((weights) => weights.sort((a, b) => a - b).map((weight) => ({ weight, holdMs: 1_000 * weight }))),
  soakMs: fc.nat(100_000),
  drainMs: fc.nat(100_000),
  rollbackWindowMs: fc.nat(1_000_000),
  approval: fc.subarray(["shift" as const, "cut-over" as const, "scale-down" as const]),
  hooks: fc.array(anyHook, { maxLength: 3 }),
  gates: fc.constant(true),
  testers: fc.boolean(),
  pins: fc.boolean(),
  shadow: fc.option(fc.record({ percent: fc.integer({ min: 1, max: 100 }), forMs: fc.nat(100_000) }), {
    nil: undefined,
  }),
});

/** Hooks of a phase that a plan has not are refused before. */
const withItsHooks = (of: RolloutPlan): RolloutPlan => ({
  ...of,
  hooks: of.hooks.filter(({ phase }) => phase !== "shadow" || of.shadow !== undefined),
});

function isMoving({ phase, stage }: RolloutState): boolean {
  return stage === "during" && (phase === "shift" || phase === "cut-over");
}

function apply(run: Simulation, one: Chaos): void {
  switch (one.kind) {
    case "step":
      run.step(one.how);
      break;
    case "ready":
      run.setReady(one.slot, one.ready);
      break;
    case "pass":
      run.now += one.ms;
      break;
    case "gates":
      run.gates = one.verdict;
      break;
    case "window":
      run.window = one.isOpen ? { kind: "open" } : { kind: "closed", reason: "a freeze", opensAt: undefined };
      break;
    case "disarm":
      // Later nobody looks any more: it is theirs.
      if (run.capabilities.commit === false || run.routing.weight > 0 || !isMoving(run.state)) break;
      run.routing = { ...run.routing, candidate: run.routing.main };
      run.armed = undefined;
      break;
    case "event":
      run.send(plain(one.event, run.state, run.now));
      break;
  }
}

describe("whatever happens", () => {
  test("no step breaks a rule, and once all is well it ends with all traffic on one ready slot", () => {
    fc.assert(
      fc.property(
        anyPlan.map(withItsHooks),
        anyMovement,
        fc.nat(40),
        someChaos,
        (of, [weights, commit], calm, events) => {
          const run = new Simulation(of, weights, commit);
          for (let steps = 0; steps < calm; steps++) run.step();
          for (const one of events) apply(run, one);
          for (const slot of slots) run.setReady(slot, run.pods[slot].desired);
          run.gates = "pass";
          run.window = { kind: "open" };
          run.send({ kind: "promote" });
          expect(run.finish(400)).toEqual({ kind: "rest", why: "finished" });
          const goal = goalOf(run.state);
          expect(run.routing).toEqual(settledOn(goal));
          // A slot that was put back serves with its first pod already.
          if (of.readiness === "all" && of.mode.kind !== "recreate")
            expect(run.pods[goal].ready).toBe(run.pods[goal].desired);
          expect(run.pods[goal].ready).toBeGreaterThan(0);
          expect(run.pods[otherSlot(goal)].desired).toBeLessThanOrEqual(of.idleReplicas);
          if (goal === "green") {
            const wanted = of.hooks.map(({ name, when, phase }) => `${when} ${phase}: ${name}`);
            expect([...new Set(run.hooksRun)].sort()).toEqual([...new Set(wanted)].sort());
          }
          expect(run.state.outcome === "released").toBe(goal === "green");
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("killed at any step, then aborted: it ends where it began", () => {
    for (const [calm, of] of Array.from(
      { length: 60 },
      (_, index) => [index, [plan, reaching]] as const,
    ).flatMap(([index, plans]) => plans.map((one) => [index, one] as const))) {
      const run = new Simulation(of);
      for (let steps = 0; steps < calm; steps++) run.step();
      run.step("killed");
      const isOver = run.state.phase === "scale-down" || run.state.phase === "done";
      run.send({ kind: "abort", reason: "somebody", at: run.now });
      expect(run.finish()).toEqual({ kind: "rest", why: "finished" });
      expect(run.routing).toEqual(settledOn(isOver ? "green" : "blue"));
    }
  });

  test("every event in every state leads to a state, and what is done stays done", () => {
    const kinds = [
      "completed",
      "routed",
      "verified",
      "arming",
      "hooked",
      "approve",
      "ignore-windows",
      "pause",
      "resume",
      "promote",
      "abort",
    ] as const;
    fc.assert(
      fc.property(anyPlan, fc.array(fc.constantFrom(...kinds), { maxLength: 60 }), (of, events) => {
        let state = begin(of, { release: 2, target: "green" }, 0);
        for (const kind of events) {
          const event = plain(kind, state, 1);
          const before = state;
          state = transition(of, state, event);
          expect([...phases, "done"]).toContain(state.phase);
          if (before.phase === "done") expect(state).toBe(before);
          expect(state.outcome === undefined).toBe(state.phase !== "done" && state.direction === "forward");
          // Never back to forward.
          if (before.direction === "back") expect(state.direction).toBe("back");
        }
      }),
    );
  });
});
