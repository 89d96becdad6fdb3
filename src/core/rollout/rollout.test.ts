import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Routing, settledOn, splitOf } from "../routing.ts";
import { otherSlot, type Slot, slots } from "../slots.ts";
import { type Action, next, type SlotWorld, type World } from "./next.ts";
import { begin, goalOf, phases, type RolloutPlan, type RolloutState } from "./state.ts";
import { type RolloutEvent, transition } from "./transition.ts";

const plan: RolloutPlan = {
  readiness: "all",
  replicas: 3,
  idleReplicas: 0,
  settleMs: 5_000,
  steps: [
    { weight: 5, holdMs: 120_000 },
    { weight: 25, holdMs: 300_000 },
  ],
  soakMs: 60_000,
  drainMs: 30_000,
  rollbackWindowMs: 600_000,
};

interface Pods {
  release: number | undefined;
  desired: number;
  ready: number;
  readySince: number | undefined;
}

/** A cluster that does what it is told, unless it is told to fail. */
class Simulation {
  now = 1_000_000;
  routing: Routing = settledOn("blue");
  unfinished = false;
  state: RolloutState;
  readonly plan: RolloutPlan;
  readonly weights: boolean;
  readonly pods: Record<Slot, Pods> = {
    blue: { release: 1, desired: 3, ready: 3, readySince: 0 },
    green: { release: undefined, desired: 0, ready: 0, readySince: undefined },
  };
  readonly phasesSeen: string[] = [];

  constructor(of: RolloutPlan, weights = true) {
    this.plan = of;
    this.weights = weights;
    this.state = begin({ release: 2, target: "green" }, this.now);
  }

  world(): World {
    const slot = ({ release, desired, ready, readySince }: Pods): SlotWorld => ({
      release,
      desired,
      ready: desired > 0 && ready === desired,
      usable: ready > 0,
      readySince,
    });
    return {
      now: this.now,
      routing: this.routing,
      slots: { blue: slot(this.pods.blue), green: slot(this.pods.green) },
      drained: undefined,
      unfinished: this.unfinished,
      capabilities: { weights: this.weights },
    };
  }

  setReady(slot: Slot, ready: number): void {
    const pods = this.pods[slot];
    pods.ready = Math.min(ready, pods.desired);
    pods.readySince =
      pods.desired > 0 && pods.ready === pods.desired ? (pods.readySince ?? this.now) : undefined;
  }

  send(event: RolloutEvent): void {
    this.state = transition(this.plan, this.state, event);
  }

  /** Takes one step. A kill does what the step does to the cluster and forgets to record it. */
  step(how: "done" | "killed" | "unproved" = "done"): Action {
    const before = this.world();
    const action = next(this.plan, this.state, before);
    check(this.plan, this.state, before, action);
    if (this.phasesSeen.at(-1) !== this.state.phase) this.phasesSeen.push(this.state.phase);
    const record = (event: RolloutEvent) => {
      if (how !== "killed") this.send(event);
    };
    switch (action.kind) {
      case "deploy":
        this.unfinished = how === "killed";
        if (before.slots[action.slot].release === action.release) break;
        this.pods[action.slot] = {
          release: action.release,
          desired: this.plan.replicas,
          ready: 0,
          readySince: undefined,
        };
        break;
      case "warm-up":
      case "verify":
      case "complete":
        record({ kind: "completed", at: this.now });
        break;
      case "route": {
        const undone = this.routing;
        this.routing = action.step.routing;
        if (how === "unproved") {
          this.routing = undone;
          if (this.state.direction === "forward")
            this.send({ kind: "abort", reason: "unproved", at: this.now });
        } else record({ kind: "routed", settled: action.settled, at: this.now });
        break;
      }
      case "prove":
        record({ kind: "routed", settled: true, at: this.now });
        break;
      case "scale-down":
        this.unfinished = how === "killed";
        this.pods[action.slot].desired = action.replicas;
        this.setReady(action.slot, action.replicas);
        break;
      case "wait":
        this.now = Math.max(this.now + 1_000, action.until ?? 0);
        if (action.for === "readiness") this.setReady(action.slot, this.pods[action.slot].ready + 1);
        break;
      case "rest":
      case "blocked":
        break;
    }
    return action;
  }

  finish(limit = 200): Action {
    for (let index = 0; index < limit; index++) {
      const action = this.step();
      if (action.kind === "rest" && action.why === "finished") {
        expect(this.unfinished, "what was begun was brought to its end").toBe(false);
      }
      if (action.kind === "rest" || action.kind === "blocked") return action;
    }
    throw new Error(`It did not come to an end: ${JSON.stringify(this.state)}`);
  }
}

/** Rules 1, 2, 3 and 8 of the design, for one action in one world. */
function check(of: RolloutPlan, state: RolloutState, world: World, action: Action): void {
  const split = splitOf(world.routing);
  switch (action.kind) {
    case "route": {
      const after = action.step.routing;
      const main = after.main !== world.routing.main;
      const canary = after.candidate !== world.routing.candidate || after.weight !== world.routing.weight;
      if (world.capabilities.weights) {
        expect([main, canary].filter(Boolean), "one routing object in each write").toHaveLength(1);
        if (main) expect(split[world.routing.main], "no traffic goes through a backend that changes").toBe(0);
      }
      for (const slot of slots) {
        if (splitOf(after)[slot] <= split[slot]) continue;
        const enough = state.direction === "back" || of.readiness === "any" ? "usable" : "ready";
        expect(world.slots[slot][enough], `${slot} gets a larger share`).toBe(true);
      }
      break;
    }
    case "deploy":
      if (world.slots[action.slot].release !== action.release) {
        expect(split[action.slot], "what carries traffic is not changed").toBe(0);
      }
      break;
    case "scale-down":
      expect(split[action.slot], "what carries traffic is not scaled down").toBe(0);
      break;
    default:
      break;
  }
}

describe("a rollout", () => {
  test("goes through all its phases by itself and ends with all traffic on the target", () => {
    const run = new Simulation(plan);
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

  test("paused, stays where it is; resumed, goes on", () => {
    const run = new Simulation(plan);
    while (!(run.state.phase === "shift" && run.state.stepIndex === 1)) run.step();
    run.send({ kind: "pause" });
    expect(run.step()).toEqual({ kind: "rest", why: "paused" });
    expect(splitOf(run.routing)).toEqual({ blue: 95, green: 5 });
    run.send({ kind: "resume" });
    run.finish();
    expect(run.state.outcome).toBe("released");
  });

  test.each([...phases])("aborted in the phase %s, traffic is on one slot that serves", (phase) => {
    const run = new Simulation(plan);
    while (run.state.phase !== phase) run.step();
    run.send({ kind: "abort", reason: "a gate failed", at: run.now });
    run.finish();
    const over = phase === "drain" || phase === "scale-down";
    expect(run.state.outcome).toBe(over ? "released" : phase === "soak" ? "rolled-back" : "aborted");
    expect(run.routing).toEqual(settledOn(over ? "green" : "blue"));
    expect(run.pods[over ? "green" : "blue"].ready).toBe(3);
    expect(run.pods[over ? "blue" : "green"].desired).toBe(0);
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

type Chaos =
  | { readonly kind: "step"; readonly how: "done" | "killed" | "unproved" }
  | { readonly kind: "ready"; readonly slot: Slot; readonly ready: number }
  | { readonly kind: "pass"; readonly ms: number }
  | {
      readonly kind: "event";
      readonly event: "pause" | "resume" | "promote" | "abort";
    };

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
      event: fc.constantFrom("pause" as const, "resume" as const, "promote" as const, "abort" as const),
    }),
  },
);
const anyPlan: fc.Arbitrary<RolloutPlan> = fc.record({
  readiness: fc.constantFrom("all" as const, "all" as const, "any" as const),
  replicas: fc.integer({ min: 1, max: 4 }),
  idleReplicas: fc.integer({ min: 0, max: 1 }),
  settleMs: fc.nat(10_000),
  steps: fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
    .map((weights) => weights.sort((a, b) => a - b).map((weight) => ({ weight, holdMs: 1_000 * weight }))),
  soakMs: fc.nat(100_000),
  drainMs: fc.nat(100_000),
  rollbackWindowMs: fc.nat(1_000_000),
});

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
    case "event":
      run.send(
        one.event === "abort" ? { kind: "abort", reason: "somebody", at: run.now } : { kind: one.event },
      );
      break;
  }
}

describe("whatever happens", () => {
  test("no step breaks a rule, and once all is well it ends with all traffic on one ready slot", () => {
    fc.assert(
      fc.property(anyPlan, fc.boolean(), fc.array(chaos, { maxLength: 80 }), (of, weights, events) => {
        const run = new Simulation(of, weights);
        for (const one of events) apply(run, one);
        for (const slot of slots) run.setReady(slot, run.pods[slot].desired);
        run.send({ kind: "resume" });
        expect(run.finish(400)).toEqual({ kind: "rest", why: "finished" });
        const goal = goalOf(run.state);
        expect(run.routing).toEqual(settledOn(goal));
        if (of.readiness === "all") expect(run.pods[goal].ready).toBe(run.pods[goal].desired);
        expect(run.pods[goal].ready).toBeGreaterThan(0);
        expect(run.pods[otherSlot(goal)].desired).toBeLessThanOrEqual(of.idleReplicas);
        expect(run.state.outcome === "released").toBe(goal === "green");
      }),
      { numRuns: 2_000 },
    );
  });

  test("every event in every state leads to a state, and what is done stays done", () => {
    const kinds = ["completed", "routed", "pause", "resume", "promote", "abort"] as const;
    fc.assert(
      fc.property(anyPlan, fc.array(fc.constantFrom(...kinds), { maxLength: 60 }), (of, events) => {
        let state = begin({ release: 2, target: "green" }, 0);
        for (const kind of events) {
          const event: RolloutEvent =
            kind === "abort"
              ? { kind, reason: "somebody", at: 1 }
              : kind === "routed"
                ? { kind, settled: true, at: 1 }
                : kind === "completed"
                  ? { kind, at: 1 }
                  : { kind };
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
