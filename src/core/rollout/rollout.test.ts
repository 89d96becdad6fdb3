import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Routing, settledOn, splitOf } from "../routing.ts";
import { otherSlot, type Slot, slots } from "../slots.ts";
import { next } from "./next.ts";
import {
  begin,
  goalOf,
  type PlannedHook,
  phases,
  type RolloutPlan,
  type RolloutState,
  sizeFor,
} from "./state.ts";
import { type RolloutEvent, transition } from "./transition.ts";
import type { Action, GateWorld, SlotWorld, WindowWorld, World } from "./world.ts";

const plan: RolloutPlan = {
  readiness: "all",
  mode: { kind: "full" },
  replicas: 3,
  fromReplicas: 3,
  idleReplicas: 0,
  settleMs: 5_000,
  steps: [
    { weight: 5, holdMs: 120_000 },
    { weight: 25, holdMs: 300_000 },
  ],
  soakMs: 60_000,
  drainMs: 30_000,
  rollbackWindowMs: 600_000,
  approval: [],
  hooks: [],
  gates: true,
};

interface Pods {
  release: number | undefined;
  desired: number;
  /** Pods of before that have not ended. */
  ending: number;
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
    blue: { release: 1, desired: 3, ending: 0, ready: 3, readySince: 0 },
    green: { release: undefined, desired: 0, ending: 0, ready: 0, readySince: undefined },
  };
  readonly phasesSeen: string[] = [];
  readonly hooksRun: string[] = [];
  /** The slot that the ingress was proved to reach by the preview header, since it was armed last. */
  armed: Slot | undefined = "green";
  gates: GateWorld["verdict"] = "pass";
  window: WindowWorld = { kind: "open" };
  clientsAnswered: boolean | undefined;
  /** Phases that somebody approved. */
  readonly approved: string[] = [];

  constructor(of: RolloutPlan, weights = true) {
    this.plan = of;
    this.weights = weights;
    this.state = begin(of, { release: 2, target: "green" }, this.now);
    this.pods.blue.desired = of.fromReplicas;
    this.pods.blue.ready = of.fromReplicas;
  }

  world(): World {
    const slot = ({ release, desired, ending, ready, readySince }: Pods): SlotWorld => ({
      release,
      desired,
      declared: desired,
      autoscaled: false,
      pods: desired + ending,
      ready: desired > 0 && ready === desired,
      usable: ready > 0,
      readyReplicas: ready,
      limit: undefined,
      incomplete: false,
      scalable: desired > 0 || release !== undefined,
      readySince,
    });
    return {
      now: this.now,
      routing: this.routing,
      slots: { blue: slot(this.pods.blue), green: slot(this.pods.green) },
      drained: undefined,
      unfinished: this.unfinished,
      gates: { verdict: this.gates, reason: `they say ${this.gates}` },
      window: this.window,
      capabilities: { weights: this.weights },
      clientsAnswered: this.clientsAnswered,
      patienceMs: 60_000,
    };
  }

  setReady(slot: Slot, ready: number): void {
    const pods = this.pods[slot];
    pods.ready = Math.min(ready, pods.desired);
    pods.readySince =
      pods.desired > 0 && pods.ready === pods.desired ? (pods.readySince ?? this.now) : undefined;
  }

  send(event: RolloutEvent): void {
    if (event.kind === "approve" && this.state.stage === "before" && this.state.phase !== "done")
      this.approved.push(this.state.phase);
    this.state = transition(this.plan, this.state, event);
  }

  #prove(settled: boolean): void {
    this.armed = this.routing.candidate;
    this.send({ kind: "routed", settled, at: this.now });
  }

  /** Takes one step. A kill does what the step does to the cluster and forgets to record it. */
  step(how: "done" | "killed" | "unproved" = "done"): Action {
    const before = this.world();
    const action = next(this.plan, this.state, before);
    check(this, before, action);
    if (this.phasesSeen.at(-1) !== this.state.phase) this.phasesSeen.push(this.state.phase);
    const record = (event: RolloutEvent) => {
      if (how !== "killed") this.send(event);
    };
    switch (action.kind) {
      case "deploy":
        this.unfinished = how === "killed";
        // It is as it should be already.
        if (
          before.slots[action.slot].release === action.release &&
          before.slots[action.slot].desired >= action.replicas
        )
          break;
        this.pods[action.slot] = {
          release: action.release,
          desired: action.replicas,
          ending: 0,
          ready: this.pods[action.slot].release === action.release ? this.pods[action.slot].ready : 0,
          readySince: undefined,
        };
        break;
      case "vacate": {
        const pods = this.pods[action.slot];
        this.unfinished = how === "killed";
        pods.ending += pods.desired;
        pods.desired = 0;
        this.setReady(action.slot, 0);
        break;
      }
      case "warm-up":
        record({ kind: "warmed", replicas: this.pods[action.slot].ready, at: this.now });
        break;
      case "verify":
        record({ kind: "verified", at: this.now });
        break;
      case "hook":
        this.hooksRun.push(`${action.hook.when} ${action.hook.phase}: ${action.hook.name}`);
        record({ kind: "hooked" });
        break;
      case "refuse":
        this.send({ kind: "abort", reason: action.reason, at: this.now });
        break;
      case "complete":
        record({ kind: "completed", at: this.now });
        break;
      case "route": {
        const undone = this.routing;
        if (action.step.routing.candidate !== undone.candidate) this.armed = undefined;
        if (action.arms) this.send({ kind: "arming" });
        this.routing = action.step.routing;
        if (how === "unproved") {
          this.routing = undone;
          if (this.state.direction === "forward")
            this.send({ kind: "abort", reason: "unproved", at: this.now });
        } else if (how === "done") this.#prove(action.settled);
        break;
      }
      case "prove":
        if (how === "done") this.#prove(action.settled);
        break;
      case "scale-down":
        this.unfinished = how === "killed";
        this.pods[action.slot].desired = action.replicas;
        this.setReady(action.slot, action.replicas);
        if (how !== "killed") this.send({ kind: "followed" });
        break;
      case "grow":
        this.pods[action.slot].desired = action.replicas;
        this.setReady(action.slot, this.pods[action.slot].ready);
        break;
      case "follow":
        this.unfinished = false;
        record({ kind: "followed" });
        break;
      case "wait":
        this.now = Math.max(this.now + 1_000, action.until ?? 0);
        if (action.for === "readiness") this.setReady(action.slot, this.pods[action.slot].ready + 1);
        if (action.for === "vacating") this.pods[action.slot].ending = 0;
        break;
      case "held":
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
      if (action.kind === "rest" || action.kind === "blocked" || action.kind === "held") return action;
    }
    throw new Error(`It did not come to an end: ${JSON.stringify(this.state)}`);
  }
}

/** Rules 1, 2, 3 and 8 of the design, and what people laid down, for one action in one world. */
function check(run: Simulation, world: World, action: Action): void {
  const { plan: of, state } = run;
  const split = splitOf(world.routing);
  const isForward = state.direction === "forward";
  switch (action.kind) {
    case "route": {
      const after = action.step.routing;
      const main = after.main !== world.routing.main;
      const canary = after.candidate !== world.routing.candidate || after.weight !== world.routing.weight;
      if (world.capabilities.weights) {
        expect([main, canary].filter(Boolean), "one routing object in each write").toHaveLength(1);
        const isThere = world.slots[world.routing.main].usable;
        if (main && isThere)
          expect(split[world.routing.main], "no traffic goes through a backend that changes").toBe(0);
      }
      for (const slot of slots) {
        if (splitOf(after)[slot] <= split[slot]) continue;
        const enough = !isForward || of.readiness === "any" ? "usable" : "ready";
        expect(world.slots[slot][enough], `${slot} gets a larger share`).toBe(true);
        const isByPreview =
          world.capabilities.weights && after.candidate === slot && after.main !== slot && !main;
        if (isByPreview) expect(run.armed, "no share before its arming was proved").toBe(slot);
        if (!isForward) continue;
        if (of.mode.kind !== "recreate") {
          expect(run.window.kind === "open" || state.windowsIgnored, "traffic moves in a window").toBe(true);
        }
        expect(state.paused, "what is paused stays").toBe(false);
        if (of.mode.kind === "partial") {
          const replicas = sizeFor(of, splitOf(after)[slot]);
          expect(world.slots[slot].desired, "as many as the share needs").toBeGreaterThanOrEqual(replicas);
          expect(state.warmed, "all of them warm").toBeGreaterThanOrEqual(replicas);
        }
        for (const phase of of.approval.filter((one) => one === "shift" || one === state.phase)) {
          expect(run.approved.includes(phase) || state.promoted, `${phase} was approved`).toBe(true);
        }
      }
      break;
    }
    case "deploy":
      if (world.slots[action.slot].release !== action.release) {
        expect(split[action.slot], "what carries traffic is not changed").toBe(0);
      }
      if (of.mode.kind === "recreate") {
        expect(world.slots[otherSlot(action.slot)].pods, "there is room for one slot").toBe(0);
      }
      break;
    case "vacate":
      expect(of.mode.kind, "only where people agreed to it").toBe("recreate");
      if (isForward) expect(run.window.kind === "open" || state.windowsIgnored, "in a window").toBe(true);
      break;
    case "refuse":
      expect(["fail", "inconclusive"], "only a gate refuses").toContain(run.gates);
      if (run.gates === "inconclusive") expect(of.mode.kind).toBe("recreate");
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
    const run = new Simulation(plan);
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
});

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
      if (!run.weights || run.routing.weight > 0 || !isMoving(run.state)) break;
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
      fc.property(anyPlan, fc.boolean(), fc.nat(40), someChaos, (of, weights, calm, events) => {
        const run = new Simulation(of, weights);
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
      }),
      { numRuns: 2_000 },
    );
  });

  test("killed at any step, then aborted: it ends where it began", () => {
    for (let calm = 0; calm < 40; calm++) {
      const run = new Simulation(plan);
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
