import { UserError } from "../../core/errors.ts";
import { declaredUntilNow } from "../../core/rollout/declared.ts";
import { goalOf, isWayBack } from "../../core/rollout/state.ts";
import type { Action, SmallGoal } from "../../core/rollout/world.ts";
import type { Routing, RoutingStep } from "../../core/routing.ts";
import { describeTraffic } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { notReadyError } from "../../slots/not-ready.ts";
import { readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context/context.ts";
import { describeAstray, locationOf } from "../context/deployed.ts";
import { lookBeside } from "../ingress/look-beside.ts";
import {
  type GoalSubject,
  goalSubject,
  ingressOf,
  type ProofSubject,
  proofSubject,
} from "../ingress/proof-subject.ts";
import { type ProveRoutingOptions, proveRouting, unproved } from "../ingress/prove-routing.ts";
import { type ModelLocation, newest, observeRouting, observeSlot } from "../observe/observe.ts";
import { modelSpec } from "../plan/desired.ts";
import { indistinguishable } from "../proof/identities.ts";
import type { ProofView } from "../proof/proof.ts";
import { fastWrite } from "../traffic/fast-write.ts";
import { type Traffic, takeStep } from "../traffic/traffic.ts";
import type { Acting } from "./step-context.ts";

/** One write of the routing, and its proof. */
export async function moveOne(acting: Acting, action: Extract<Action, { kind: "route" }>): Promise<void> {
  const { context, record, plan, state } = acting;
  const traffic: Omit<Traffic, "subject" | "write"> = {
    context,
    location: locationOf(context, record),
    spec: modelSpec(record, context.namespace),
    lock: acting.lock,
    earlier: declaredUntilNow(plan, state),
    stopProof: acting.stopProof,
    stillReady: () => stillReady(acting, action.step.routing),
  };
  const write: Traffic["write"] = (before, after) => fastWrite(traffic, before, after);
  if (!isWayBack(plan, state)) {
    const subject = await subjectOf(acting);
    requireIdentity(subject, state.target);
    const timing = await takeStep({ ...traffic, subject, write }, acting.routing, action.step);
    acting.onStep?.(timing, subject);
    return;
  }
  const goal = goalOf(state);
  const isAstray = acting.observation.routing === undefined;
  if (isAstray) sayAstray(context, traffic.location);
  if (action.small !== undefined) saySmall(context, goal, action.small);
  const known = await goalSubjectOf(acting);
  const { subject } = known;
  const inTime =
    acting.observation.ingress === undefined ? () => whenPublished(acting, subject) : known.inTime;
  const isEmpty = acting.observation.slots[acting.routing.main].endpoints.ready.length === 0;
  const back: Traffic = {
    ...traffic,
    subject,
    subjectInTime: inTime,
    stays: true,
    // Through a main object without endpoints no controller has to show a preview.
    only: (view) => isOf(goal)(view) && !(isEmpty && !action.step.visible),
    isAstray,
    write: isAstray ? (_assumed, after) => fastWrite(traffic, undefined, after) : write,
  };
  const take = async (step: RoutingStep) => {
    const timing = await takeStep(back, acting.routing, step);
    const proved = await inTime();
    acting.onStep?.(timing, proved);
    if (step.visible) await lookBeside(context, record, proved, step.routing, isOf(goal));
  };
  try {
    await take(action.step);
  } catch (error) {
    const isRefused =
      error instanceof UserError && ["write-refused", "permission-denied"].includes(error.code);
    const other = isRefused ? throughMain(acting.routing, action.step, goal) : undefined;
    if (other === undefined) throw error;
    context.events({
      type: "warning",
      code: "write-refused",
      message: `${error instanceof Error ? error.message : String(error)} The main Ingress is written instead.`,
    });
    await take(other);
  }
}

/** Whoever leads traffic back knows that what somebody else has written there is written over. */
function sayAstray({ events }: RolloutContext, location: ModelLocation): void {
  events({
    type: "warning",
    code: "routing-astray",
    message: `The ${describeAstray(location)}: it is written as a whole.`,
  });
}

/** The same by the other object, where the one that moves traffic gently is refused: clients wait. */
function throughMain(at: Routing, { name, routing }: RoutingStep, goal: Slot): RoutingStep | undefined {
  const isAway = at.main !== goal && at.candidate === goal && routing.main !== goal;
  return name === "shift" && isAway
    ? { name: "commit", routing: { ...at, main: goal }, visible: true }
    : undefined;
}

export async function provePresent(
  acting: Acting,
  { routing, settled }: Extract<Action, { kind: "prove" }>,
): Promise<void> {
  const isBack = isWayBack(acting.plan, acting.state);
  const subject = isBack ? await (await goalSubjectOf(acting)).inTime() : await subjectOf(acting);
  const about = settled
    ? {
        id: "prove-present",
        title: `Prove traffic on ${describeTraffic(routing)}`,
        earlier: declaredUntilNow(acting.plan, acting.state),
        patient: isBack,
        ...(isBack ? { only: isOf(goalOf(acting.state)) } : {}),
      }
    : { id: "prove-arm", title: previewTitle(routing.candidate), only: isPreview };
  await proveNow(acting, subject, { ...about, routing, signal: acting.stopProof ?? unstoppable });
}

/** That answers come from the goal, and from nothing else. */
function isOf(goal: Slot): (view: ProofView) => boolean {
  return ({ expected }) => expected.every((slot) => slot === goal);
}

function saySmall(context: RolloutContext, goal: Slot, { ready, needed, why }: SmallGoal): void {
  const has = `${goal} has ${ready} ready ${ready === 1 ? "replica" : "replicas"} for a load that has ${needed}`;
  const share = Math.max(1, Math.floor((100 * ready) / needed));
  const because: Readonly<Record<SmallGoal["why"], string>> = {
    share: `it gets ${share} % now, what it can carry, and the rest as it grows`,
    now: "all traffic goes there at once, as asked, and it grows behind it",
    "live-is-bad":
      "clients are not answered rightly as it is, so all traffic goes there at once, and it grows behind it",
    "no-weights": "the router cannot split traffic, so all of it goes there at once, and it grows behind it",
  };
  context.events({ type: "warning", code: "goal-small", message: `${has}: ${because[why]}.` });
}

export function previewTitle(slot: Slot): string {
  return `Prove ${slot} through the ingress, by the preview header`;
}

/** Whatever the other slot answers at the moment must not hold a way back. */
export function isPreview({ name }: ProofView): boolean {
  return name === "preview";
}

/**
 * Without the identity of the slot that gets traffic every view would be left out, and a step would be called proved that nobody looked at.
 * @throws UserError `slots-indistinguishable`
 */
export function requireIdentity({ identities }: ProofSubject, slot: Slot): void {
  if (identities[slot] !== undefined) return;
  throw indistinguishable(
    `No ready endpoint of ${slot} is a pod, so none can be asked who it is: an answer of ${slot} could not be recognised.`,
    { slot },
  );
}

export async function subjectOf({ context, record, observation }: Acting): Promise<ProofSubject> {
  const about = { settings: record.settings, router: locationOf(context, record).router, observation };
  const readySlots = slots.filter((slot) => observation.slots[slot].endpoints.ready.length > 0);
  return await proofSubject(context, { ...about, readySlots });
}

async function goalSubjectOf({ context, record, state, observation }: Acting): Promise<GoalSubject> {
  const { router } = locationOf(context, record);
  return await goalSubject(context, {
    settings: record.settings,
    router,
    observation,
    goal: goalOf(state),
  });
}

const pauseMs = 500;

/** Where the object with the addresses was gone and is made again, its controller has to say them first. */
async function whenPublished(
  { context, record, observation }: Acting,
  subject: ProofSubject,
): Promise<ProofSubject> {
  const { clock, config } = context;
  const location = { ...locationOf(context, record), signal: unstoppable };
  const deadline = clock.now() + config.deadlines.proofMs;
  for (;;) {
    try {
      const { ingress } = await observeRouting(location);
      return {
        ...subject,
        endpoints: await ingressOf(context, record.settings, { ...observation, ingress }),
      };
    } catch (error) {
      const isAwaited = error instanceof UserError && error.code === "ingress-without-address";
      if (!isAwaited || clock.now() >= deadline) throw error;
      await clock.sleep(pauseMs);
    }
  }
}

export async function proveNow(
  { context }: Acting,
  subject: ProofSubject,
  { routing, ...about }: Omit<ProveRoutingOptions, "parent"> & { readonly routing: Routing },
): Promise<void> {
  const verdict = await proveRouting(context, subject, routing, about);
  if (verdict.state === "proved") return;
  throw unproved(subject, verdict, {
    message: "The ingress does not show what is declared",
    hint: "Check the ingress controller and where it listens (ingress.endpoints in the config file).",
  });
}

/** Rule: a slot's share never grows unless it is ready at that moment; on the way back, unless it has a ready pod. */
async function stillReady(acting: Acting, next: Routing): Promise<void> {
  const { context, record, plan, state } = acting;
  const back = isWayBack(plan, state);
  const goal = back ? goalOf(state) : (next.testers ?? (next.weight > 0 ? next.candidate : next.main));
  const location = { ...locationOf(context, record), signal: unstoppable };
  // Forward there is time for the newest there is; on a way back clients wait.
  const observed = await observeSlot(back ? location : newest(location), goal);
  const verdict = readiness(observed, plan.cutOverOnly === true && !back ? plan.replicas : 0);
  if (verdict.state === "ready") return;
  const mayBeFewer = back || plan.readiness === "any";
  if (mayBeFewer && verdict.readyReplicas > 0) {
    context.events({
      type: "warning",
      code: "fewer-replicas",
      message: `Traffic goes to ${goal} although it has fewer replicas than it should: ${verdict.reasons.join("; ")}.`,
    });
    return;
  }
  throw notReadyError(observed, verdict);
}
