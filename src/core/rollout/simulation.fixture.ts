import { expect } from "vitest";
import { type Movement, type Routing, settled, settledOn, splitOf } from "../routing.ts";
import { otherSlot, type Slot, slots } from "../slots.ts";
import { next } from "./next.ts";
import { begin, type RolloutPlan, type RolloutState, sizeFor } from "./state.ts";
import { type RolloutEvent, transition } from "./transition.ts";
import type { Action, GateWorld, SlotWorld, WindowWorld, World } from "./world.ts";

export const plan: RolloutPlan = {
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

/** Testers, copies of requests and clients that stay where they are, too. */
export const reaching: RolloutPlan = {
  ...plan,
  testers: true,
  pins: true,
  shadow: { percent: 20, forMs: 90_000 },
};

export interface Pods {
  release: number | undefined;
  desired: number;
  /** Pods of before that have not ended. */
  ending: number;
  ready: number;
  readySince: number | undefined;
}

/** A cluster that does what it is told, unless it is told to fail. */
export class Simulation {
  now = 1_000_000;
  routing: Routing = settledOn("blue");
  unfinished = false;
  state: RolloutState;
  readonly plan: RolloutPlan;
  readonly weights: boolean;
  readonly capabilities: Movement;
  readonly pods: Record<Slot, Pods> = {
    blue: { release: 1, desired: 3, ending: 0, ready: 3, readySince: 0 },
    green: { release: undefined, desired: 0, ending: 0, ready: 0, readySince: undefined },
  };
  readonly phasesSeen: string[] = [];
  readonly hooksRun: string[] = [];
  /** The slot that the ingress was proved to reach by the preview header, since it was armed last. */
  armed: Slot | undefined = "green";
  gates: GateWorld["verdict"] = "pass";
  onInconclusive: "hold" | "back" = "hold";
  window: WindowWorld = { kind: "open" };
  clientsAnswered: boolean | undefined;
  /** Phases that somebody approved. */
  readonly approved: string[] = [];

  constructor(of: RolloutPlan, weights = true, commit = weights) {
    this.plan = of;
    this.weights = weights;
    this.capabilities = { weights, commit };
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
      gates: {
        verdict: this.gates,
        reason: `they say ${this.gates}`,
        onInconclusive: this.onInconclusive,
      },
      window: this.window,
      capabilities: this.capabilities,
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

  /** Where no commit is needed, what is read says only the shares. */
  #asRead(routing: Routing): Routing {
    return this.capabilities.commit === false && this.weights ? settled(routing) : routing;
  }

  #prove(isSettled: boolean): void {
    this.armed = this.routing.candidate;
    this.send({ kind: "routed", settled: isSettled, at: this.now });
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
        this.routing = this.#asRead(action.step.routing);
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
export function check(run: Simulation, world: World, action: Action): void {
  const { plan: of, state } = run;
  const split = splitOf(world.routing);
  const isForward = state.direction === "forward";
  switch (action.kind) {
    case "route": {
      const after = action.step.routing;
      const main = after.main !== world.routing.main;
      const canary =
        after.candidate !== world.routing.candidate ||
        after.weight !== world.routing.weight ||
        after.mirror !== world.routing.mirror;
      const ofTesters = after.testers !== world.routing.testers;
      const ofPins = after.pinned !== world.routing.pinned;
      const isApart = world.capabilities.weights && world.capabilities.commit !== false;
      if (!isApart)
        expect(canary && ofTesters, "testers and weights are in objects of their own").toBe(false);
      else {
        const objects = [main || ofPins, canary || ofTesters];
        expect(objects.filter(Boolean), "one routing object in each write").toHaveLength(1);
        const isThere = world.slots[world.routing.main].usable;
        if (main && isThere)
          expect(split[world.routing.main], "no traffic goes through a backend that changes").toBe(0);
      }
      const whole = of.readiness === "any" ? "usable" : "ready";
      if (ofTesters && after.testers !== undefined) {
        expect(world.slots[after.testers][whole], "testers get a slot that is ready").toBe(true);
        expect(after.testers, "testers get the release under test").toBe(
          isForward ? state.target : undefined,
        );
      }
      if (after.mirror !== undefined && after.mirror !== world.routing.mirror) {
        expect(world.slots[after.candidate][whole], "copies go to a slot that is ready").toBe(true);
        expect(splitOf(after)[after.candidate], "copies go to a slot without traffic").toBe(0);
      }
      for (const slot of slots) {
        if (splitOf(after)[slot] <= split[slot]) continue;
        expect(world.routing.mirror, "copies end before traffic moves").toBeUndefined();
        // A client that moved with the release stays: only a way back takes it away.
        if (isForward && world.routing.pinned !== undefined)
          expect(slot, "nobody moves back").toBe(state.target);
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
      if (run.gates === "inconclusive" && run.onInconclusive === "hold")
        expect(of.mode.kind).toBe("recreate");
      break;
    case "scale-down":
      expect(split[action.slot], "what carries traffic is not scaled down").toBe(0);
      break;
    default:
      break;
  }
}
