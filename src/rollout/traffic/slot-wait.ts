import { UserError } from "../../core/errors.ts";
import type { ResourceEvent } from "../../core/events.ts";
import { type EventSink, step } from "../../core/events.ts";
import type { Slot } from "../../core/slots.ts";
import type { FailedWrite } from "../../engine/failures.ts";
import type { AskEvidence } from "../../slots/not-ready.ts";
import { notReady } from "../../slots/not-ready.ts";
import { podEvidence } from "../../slots/pod-evidence.ts";
import { readiness } from "../../slots/readiness.ts";
import type { WaitReadyOptions } from "../../slots/wait-ready.ts";
import { untilWritten, waitReady } from "../../slots/wait-ready.ts";
import { nodesMayCome } from "../capacity/nodes-may-come.ts";
import type { RolloutContext } from "../context/context.ts";
import { type ModelLocation, namesAt, observeSlot } from "../observe/observe.ts";

/** Waits for all replicas of a slot, as a step with progress. */
export async function waitForSlot(
  context: RolloutContext,
  location: ModelLocation,
  slot: Slot,
  atLeast = 0,
): Promise<void> {
  const { signal } = context;
  await step(
    context.events,
    { id: `ready-${slot}`, title: `Wait until all replicas of ${slot} are ready` },
    (progress) => waitReady({ ...waitOptions(context, location, slot, signal), atLeast, progress }),
    ({ replicas }) => `${replicas} of ${replicas} ready`,
  );
}

/**
 * Runs `work`, which changes Deployments, while watching the slots named, and stops it as soon as one of them can't become ready
 * any more or has had its time: nobody should wait ten minutes for an image that does not exist. Ends when what was changed is ready,
 * whatever the work itself takes for that.
 */
export async function whileWatching<T>(
  context: RolloutContext,
  location: ModelLocation,
  watched: readonly Slot[],
  work: (signal: AbortSignal, events: EventSink) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController();
  const workDone = new AbortController();
  const signal = AbortSignal.any([context.signal, workDone.signal]);
  let hopeless: unknown;
  const names = namesAt(location).deployment;
  const touched = new Set<Slot>();
  const waitedFor = new Map<Slot, ResourceEvent>();
  const events: EventSink = (event) => {
    const ofSlot = event.type === "resource" && event.kind === "Deployment" ? event : undefined;
    const slot = watched.find((one) => ofSlot?.name === names[one]);
    if (ofSlot !== undefined && slot !== undefined) {
      if (ofSlot.status !== "started") waitedFor.delete(slot);
      // What the provider sees while it waits, the watch says in terms of the pods.
      else if (waitedFor.has(slot) && ofSlot.message !== undefined) return;
      // One that is read is as it was before: the change that mends it is still to come.
      else if (ofSlot.operation !== "refresh" && ofSlot.operation !== "read") {
        touched.add(slot);
        waitedFor.set(slot, ofSlot);
      }
    }
    context.events(event);
  };
  const tell = (slot: Slot, message: string) => {
    const known = waitedFor.get(slot);
    if (known !== undefined) context.events({ ...known, message });
  };
  const watches = watched.map(async (slot) => {
    try {
      // What a slot was before says nothing: it may be ready and about to change, or hopeless and about to be mended.
      const { deployment: before } = await observeSlot({ ...location, signal }, slot);
      while (!touched.has(slot)) await context.clock.sleep(pauseMs, signal);
      const options = waitOptions(context, location, slot, signal);
      await untilWritten(options, before);
      for (;;) {
        await waitReady({
          ...options,
          refusedBefore: { id: before?.refused?.id },
          progress: ({ detail = "" }) => tell(slot, detail),
        });
        await context.clock.sleep(pauseMs, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      hopeless ??= error;
      giveUp.abort();
    }
  });
  let result: T;
  try {
    result = await work(AbortSignal.any([context.signal, giveUp.signal]), events);
  } catch (error) {
    if (hopeless === undefined && !context.signal.aborted)
      await explainBySlots(context, location, watched, error);
    throw hopeless ?? error;
  } finally {
    workDone.abort();
    await Promise.all(watches);
  }
  // Pulumi's provider may take what it saw of the former pods for the new ones.
  for (const slot of touched) {
    if (readiness(await observeSlot(location, slot)).state !== "ready")
      await waitForSlot(context, location, slot);
  }
  return result;
}

const pauseMs = 500;

/** Says why a Deployment failed in terms of its slot, where it was waited for in vain or its pods have a final problem. */
async function explainBySlots(
  context: RolloutContext,
  location: ModelLocation,
  watched: readonly Slot[],
  error: unknown,
): Promise<void> {
  if (!(error instanceof UserError && error.code === "deployment-failed")) return;
  const waited = waitedInVain(error);
  for (const slot of watched) {
    const observed = await observeSlot(location, slot);
    const verdict = readiness(observed);
    if (verdict.state === "ready") continue;
    const isRefused = observed.deployment?.refused !== undefined;
    const isWaited = waited.includes(namesAt(location).deployment[slot]);
    if (!isWaited && !isRefused && !verdict.problems.some(({ final }) => final)) continue;
    throw await notReady(observed, verdict, lastWords(context));
  }
}

/** Names of the Deployments that the engine waited for until their time was over. */
function waitedInVain({ details }: UserError): readonly string[] {
  const resources = (details?.resources ?? []) as readonly FailedWrite[];
  return resources.flatMap(({ kind, name, unready }) =>
    kind === "Deployment" && name !== undefined && unready === true ? [name] : [],
  );
}

/** How the pods that have a problem are asked for their last words. */
export function lastWords({ api, namespace }: RolloutContext): AskEvidence {
  return (problem) => podEvidence(api, namespace, problem);
}

function waitOptions(
  context: RolloutContext,
  location: ModelLocation,
  slot: Slot,
  signal: AbortSignal,
): Omit<WaitReadyOptions, "progress"> {
  return {
    observe: () => observeSlot({ ...location, signal }, slot),
    evidence: lastWords(context),
    deadlineMs: context.config.deadlines.readyMs,
    nodesMayCome: (pod) => nodesMayCome({ ...context, signal }, pod),
    clock: context.clock,
    signal,
  };
}
