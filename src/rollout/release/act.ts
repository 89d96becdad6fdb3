import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { declaredUntilNow } from "../../core/rollout/declared.ts";
import { goalOf, type RolloutState } from "../../core/rollout/state.ts";
import type { RolloutEvent } from "../../core/rollout/transition.ts";
import type { Action } from "../../core/rollout/world.ts";
import type { Routing } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context.ts";
import { modelSpec } from "../desired.ts";
import { giveUpReplicas, handovers, sizeOwners, takeReplicas } from "../handover.ts";
import { indistinguishable } from "../identities.ts";
import { withImagesRun } from "../images-run.ts";
import type { Lock } from "../lock.ts";
import type { Observation } from "../observation.ts";
import { newest, observeSlot } from "../observe.ts";
import type { Note } from "../plan-input.ts";
import type { ModelStack } from "../program.ts";
import type { ProofView } from "../proof.ts";
import type { RolloutRecord } from "../record.ts";
import { waitForSlot, whileWatching } from "../slot-wait.ts";
import {
  locationOf,
  type ProofSubject,
  type ProveRoutingOptions,
  proofSubject,
  proveRouting,
  unproved,
} from "../subject.ts";
import { describeTraffic, type Traffic, takeStep } from "../traffic.ts";
import { notReadyError } from "../wait-ready.ts";
import { fastWrite } from "./fast-write.ts";
import type { Journal } from "./journal.ts";
import { runPlannedHook } from "./planned-hooks.ts";
import { warmUp } from "./warm-up.ts";

/** What one step works with. */
export interface Acting {
  readonly context: RolloutContext;
  readonly record: RolloutRecord;
  readonly state: RolloutState;
  readonly observation: Observation;
  readonly routing: Routing;
  readonly lock: Lock;
  readonly stack: () => Promise<ModelStack>;
  readonly journal: Journal;
}

type Step = Extract<
  Action,
  { kind: "deploy" | "vacate" | "hook" | "warm-up" | "verify" | "route" | "prove" | "scale-down" }
>;

/** Does one step, and says what happened; `undefined`: what it did shows in the cluster. */
export async function act(acting: Acting, action: Step): Promise<RolloutEvent | undefined> {
  const at = () => acting.context.clock.now();
  switch (action.kind) {
    case "deploy":
      await resize(acting, action.slot, {
        id: `deploy-${action.slot}`,
        title: `Put release ${action.release} into ${action.slot}, ${counted(action.replicas)}`,
        replicas: action.replicas,
      });
      return undefined;
    case "vacate":
      await resize(acting, action.slot, {
        id: `vacate-${action.slot}`,
        title: `Empty ${action.slot} to make room: nobody is served until the other slot is ready`,
        replicas: 0,
      });
      return undefined;
    case "scale-down":
      await resize(acting, action.slot, {
        id: `scale-down-${action.slot}`,
        title: `Scale ${action.slot} down to ${action.replicas}`,
        replicas: action.replicas,
      });
      return undefined;
    case "hook":
      return (await runPlannedHook(acting, action.hook)) === "done" ? { kind: "hooked" } : undefined;
    case "warm-up": {
      const slot = acting.observation.slots[action.slot];
      await warmUp(acting.context, acting.record, slot);
      return { kind: "warmed", replicas: slot.endpoints.ready.length, at: at() };
    }
    case "verify":
      await verify(acting, action.slot);
      await noteImages(acting);
      return { kind: "verified", at: at() };
    case "route": {
      const { context, record } = acting;
      const subject = await subjectOf(acting);
      const isWayBack = acting.state.direction === "back" || record.rollout?.kind === "rollback";
      const traffic: Traffic = {
        context,
        location: locationOf(context, record),
        spec: modelSpec(record, context.namespace),
        stack: acting.stack,
        subject,
        lock: acting.lock,
        earlier: declared(acting),
        stays: acting.state.direction === "back",
        stillReady: () => stillReady(acting, action.step.routing),
      };
      const shortcut = (before: Routing, after: Routing) => fastWrite(traffic, before, after);
      await takeStep(isWayBack ? { ...traffic, shortcut } : traffic, acting.routing, action.step);
      return { kind: "routed", settled: action.settled, at: at() };
    }
    case "prove": {
      const { routing, settled } = action;
      const about = settled
        ? {
            id: "prove-present",
            title: `Prove traffic on ${describeTraffic(routing)}`,
            earlier: declared(acting),
            patient: acting.state.direction === "back",
          }
        : { id: "prove-arm", title: previewTitle(routing.candidate), only: isPreview };
      await proveNow(acting, await subjectOf(acting), { ...about, routing, signal: unstoppable });
      return { kind: "routed", settled, at: at() };
    }
  }
}

function declared({ record, state }: Acting): readonly Routing[] {
  return record.rollout === undefined ? [] : declaredUntilNow(record.rollout.plan, state);
}

function previewTitle(slot: Slot): string {
  return `Prove ${slot} through the ingress, by the preview header`;
}

/** Whatever the other slot answers at the moment must not hold a way back. */
function isPreview({ name }: ProofView): boolean {
  return name === "preview";
}

function counted(replicas: number): string {
  return `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
}

/** Puts a slot's release in force at a size, through Pulumi. Traffic stays where it is. */
async function resize(
  acting: Acting,
  slot: Slot,
  to: { readonly id: string; readonly title: string; readonly replicas: number },
): Promise<void> {
  const { context } = acting;
  const { id, title, replicas } = to;
  await step(context.events, { id, title }, async () => {
    const record = await context.store.update(
      (present) =>
        present && {
          ...present,
          settings: { ...present.settings, replicas: { ...present.settings.replicas, [slot]: replicas } },
          applying: true,
        },
    );
    if (record === undefined) return;
    await writeSize(acting, record, slot, replicas > 0 ? [slot] : []);
    await context.store.update((present) => present && { ...present, applying: false });
  });
  // An autoscaler makes the replicas after a while.
  if (replicas > 0) await waitForSlot(context, locationOf(context, acting.record), slot, replicas);
}

async function writeSize(
  acting: Acting,
  record: RolloutRecord,
  slot: Slot,
  watched: readonly Slot[],
): Promise<void> {
  const { context, routing, observation } = acting;
  const location = locationOf(context, record);
  const desired = { spec: modelSpec(record, context.namespace), routing };
  const passed = handovers(record, observation, await sizeOwners(context, acting.record, record));
  await whileWatching(context, location, watched, async (signal, events) => {
    const stack = await context.openStack(signal, events);
    const before = observation.slots[slot];
    // Pulumi compares with its state: what was deleted by hand has to be looked at first.
    if (before.service === undefined || before.deployment === undefined) await stack.refresh(desired);
    await takeReplicas(context, passed);
    await stack.up(desired);
    await giveUpReplicas(context, passed);
    const { deployment } = await observeSlot(location, slot);
    const isAutoscaled = desired.spec.slots[slot].autoscaling !== undefined;
    if (isAutoscaled || deployment?.desiredReplicas === desired.spec.slots[slot].replicas) return;
    // It was scaled by hand to something else than the state says.
    await stack.refresh(desired);
    await stack.up(desired);
  });
}

async function subjectOf({ context, record, state, observation }: Acting): Promise<ProofSubject> {
  const about = { settings: record.settings, router: locationOf(context, record).router, observation };
  const readySlots = slots.filter((slot) => observation.slots[slot].endpoints.ready.length > 0);
  try {
    return await proofSubject(context, { ...about, readySlots });
  } catch (error) {
    const isAlike = error instanceof UserError && error.code === "slots-indistinguishable";
    if (!isAlike || state.direction !== "back") throw error;
    // That a release cannot be told from the live one must never keep it from being taken back: where it goes back to still answers.
    return await proofSubject(context, { ...about, readySlots: [goalOf(state)] });
  }
}

async function proveNow(
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

/** The new release is recognised, and the real ingress reaches it by the preview header, before any client does. */
async function verify(acting: Acting, slot: Slot): Promise<void> {
  const subject = await subjectOf(acting);
  if (subject.identities[slot] === undefined) {
    throw indistinguishable(`No ready endpoint of ${slot} is a pod, so none can be asked who it is.`, {
      slot,
    });
  }
  await proveNow(acting, subject, {
    routing: acting.routing,
    id: "verify",
    title: previewTitle(slot),
    signal: acting.context.signal,
  });
}

/** What the pods really run is part of the release: a tag may be moved later. */
async function noteImages({ context, observation }: Acting): Promise<void> {
  let notes: readonly Note[] = [];
  await context.store.update((record) => {
    if (record === undefined) return record;
    const known = withImagesRun(record, observation);
    notes = known.notes;
    return known.record;
  });
  for (const note of notes) context.events({ type: "warning", ...note });
}

/** Rule: a slot's share never grows unless it is ready at that moment; on the way back, unless it has a ready pod. */
async function stillReady(acting: Acting, next: Routing): Promise<void> {
  const { context, record, state } = acting;
  const goal = next.weight > 0 ? next.candidate : next.main;
  const location = { ...locationOf(context, record), signal: unstoppable };
  // Forward there is time for the newest there is; on a way back clients wait.
  const observed = await observeSlot(state.direction === "back" ? location : newest(location), goal);
  const verdict = readiness(observed);
  if (verdict.state === "ready") return;
  const mayBeFewer = state.direction === "back" || record.rollout?.plan.readiness === "any";
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
