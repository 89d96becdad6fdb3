import { step } from "../../core/events.ts";
import type { Note } from "../../core/note.ts";
import type { RolloutEvent } from "../../core/rollout/transition.ts";
import type { Action } from "../../core/rollout/world.ts";
import type { Slot } from "../../core/slots.ts";
import { otherSlot } from "../../core/slots.ts";
import { locationOf } from "../context/deployed.ts";
import type { ProofSubject } from "../ingress/proof-subject.ts";
import { proveRouting, unproved } from "../ingress/prove-routing.ts";
import { requireAnswer } from "../ingress/require-answer.ts";
import { observeSlot } from "../observe/observe.ts";
import { modelSpec } from "../plan/desired.ts";
import { giveUpReplicas, handovers, sizeOwners, takeReplicas } from "../plan/handover.ts";
import { withImagesRun } from "../plan/images-run.ts";
import { floorsWhile } from "../plan/sizing.ts";
import { objectsOfSlot } from "../program/declared-objects.ts";
import type { HandChange } from "../program/hand-changes.ts";
import { isChoice } from "../program/hand-changes.ts";
import type { RolloutRecord } from "../record/record.ts";
import { waitForSlot, whileWatching } from "../traffic/slot-wait.ts";
import { follow, grow } from "./grow-slot.ts";
import {
  isPreview,
  moveOne,
  previewTitle,
  proveNow,
  provePresent,
  requireIdentity,
  subjectOf,
} from "./move-traffic.ts";
import { runPlannedHook } from "./planned-hooks.ts";
import type { Acting } from "./step-context.ts";
import { warmUp } from "./warm-up.ts";

type Step = Extract<
  Action,
  {
    kind:
      | "deploy"
      | "vacate"
      | "grow"
      | "hook"
      | "warm-up"
      | "verify"
      | "route"
      | "prove"
      | "scale-down"
      | "follow";
  }
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
    case "grow":
      await grow(acting, action.slot, action.replicas);
      return undefined;
    case "scale-down":
      await resize(acting, action.slot, {
        id: `scale-down-${action.slot}`,
        title: `Scale ${action.slot} down to ${action.replicas}`,
        replicas: action.replicas,
      });
      return { kind: "followed" };
    case "follow":
      await follow(acting);
      return { kind: "followed" };
    case "hook":
      return (await runPlannedHook(acting, action.hook)) === "done" ? { kind: "hooked" } : undefined;
    case "warm-up": {
      const { slots } = acting.observation;
      const slot = slots[action.slot];
      // A way back does not ask what it leaves.
      const live = acting.plan.readiness === "all" ? slots[otherSlot(action.slot)] : undefined;
      await warmUp(acting.context, acting.record, slot, live);
      return { kind: "warmed", replicas: slot.endpoints.ready.length, at: at() };
    }
    case "verify":
      if (acting.plan.cutOverOnly === true) await verifySwitch(acting, action.slot);
      else await verify(acting, action.slot);
      await noteImages(acting);
      return { kind: "verified", at: at() };
    case "route":
      await moveOne(acting, action);
      return { kind: "routed", settled: action.settled, at: at() };
    case "prove":
      await provePresent(acting, action);
      return { kind: "routed", settled: action.settled, at: at() };
  }
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
          settings: {
            ...present.settings,
            replicas: floorsWhile(present, acting.observation, acting.state, {
              ...{ slot, replicas },
              isTarget: slot === acting.state.target && replicas > 0,
            }),
          },
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
    // Only this slot is looked at: what somebody changed of the other one, which serves, would be in the state then, and be put back.
    const look = async () => await stack.refresh(desired, objectsOfSlot(desired.spec, slot));
    // Pulumi compares with its state: what was deleted by hand has to be looked at first.
    if (before.service === undefined || before.deployment === undefined) await look();
    await takeReplicas(context, passed);
    // What this slot runs is ours to say; what somebody changed of the other one is not put back by the way.
    const putsBack = (change: HandChange) => change.slot === slot && isChoice(change);
    await stack.up(desired, { putsBack });
    await giveUpReplicas(context, passed);
    const { deployment } = await observeSlot(location, slot);
    const isAutoscaled = desired.spec.slots[slot].autoscaling !== undefined;
    if (isAutoscaled || deployment?.desiredReplicas === desired.spec.slots[slot].replicas) return;
    // It was scaled by hand to something else than the state says.
    await look();
    await stack.up(desired);
  });
}

/** The new release is recognised, and the real ingress reaches it by the preview header, before any client does. */
async function verify(acting: Acting, slot: Slot): Promise<void> {
  const subject = await subjectOf(acting);
  requireIdentity(subject, slot);
  if (acting.observation.slots[acting.routing.main].endpoints.ready.length === 0) {
    // Some controllers show no preview through a main object that leads nowhere, and nobody is served who could be harmed.
    acting.context.events({
      type: "info",
      message: `${acting.routing.main} has no ready pod, so ${slot} is proved at the ingress as soon as traffic goes there.`,
    });
    return;
  }
  await proveNow(acting, subject, {
    routing: acting.routing,
    id: "verify",
    title: previewTitle(slot),
    signal: acting.context.signal,
  });
}

/**
 * The ingress reaches the slot by the preview header where there is one; else it answers at all: a change that cannot be proved should not
 * be begun.
 */
async function verifySwitch(acting: Acting, slot: Slot): Promise<void> {
  const { context, routing } = acting;
  const subject = await subjectOf(acting);
  requireIdentity(subject, slot);
  warnIfUnproven(acting, subject, otherSlot(slot));
  const { header } = subject.router.capabilities;
  const mainIsEmpty = acting.observation.slots[routing.main].endpoints.ready.length === 0;
  if (!header || routing.candidate !== slot || routing.main === slot || mainIsEmpty) {
    await requireAnswer(context, subject);
    return;
  }
  const verdict = await proveRouting(context, subject, routing, {
    id: "prove-preview",
    title: previewTitle(slot),
    signal: context.signal,
    only: isPreview,
  });
  if (verdict.state === "proved") return;
  throw unproved(subject, verdict, {
    code: "preview-unproved",
    message: `${slot} cannot be reached through the ingress, so it got no traffic; nothing was changed`,
    hint: subject.router.advice,
  });
}

function warnIfUnproven({ context }: Acting, { identities }: ProofSubject, other: Slot): void {
  if (identities[other] !== undefined) return;
  context.events({
    type: "warning",
    code: "other-slot-not-ready",
    message: `${other} is not ready: answers are proved to come from ${otherSlot(other)}, but none can be asked of ${other}.`,
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
