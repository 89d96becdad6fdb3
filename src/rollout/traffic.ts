import { exitCodes, interrupted, messageOf, UserError } from "../core/errors.ts";
import { step } from "../core/events.ts";
import type { ModelSpec } from "../core/model.ts";
import { type Routing, type RoutingStep, sameRouting, splitOf } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import { unstoppable } from "../core/unstoppable.ts";
import type { RolloutContext } from "./context.ts";
import { routingObjects } from "./declared-objects.ts";
import type { Lock } from "./lock.ts";
import { type ModelLocation, observeRouting, observeSlot } from "./observe.ts";
import type { ModelStack } from "./program.ts";
import type { ProofVerdict, ProofView } from "./proof.ts";
import { type ProofSubject, proofDeadlineMs, proveRouting, unproved } from "./subject.ts";

/** How one step went. */
export interface StepTiming {
  readonly name: RoutingStep["name"];
  readonly routing: Routing;
  readonly visible: boolean;
  readonly writeMs: number;
  readonly proofMs: number;
  readonly probes: number;
}

export interface Traffic {
  readonly context: RolloutContext;
  readonly location: ModelLocation;
  readonly spec: ModelSpec;
  readonly stack: () => Promise<ModelStack>;
  readonly subject: ProofSubject;
  /** What the proof needs, where that is looked for beside the write. @default subject */
  readonly subjectInTime?: () => Promise<ProofSubject>;
  readonly lock: Lock;
  /** What was declared before the present routing, and may still be seen where the ingress is behind. @default none */
  readonly earlier?: readonly Routing[];
  /**
   * What cannot be proved stays declared, and the ingress is given longer: on a way back the other side is the worse one.
   * @default false
   */
  readonly stays?: boolean;
  /** Looks once more whether the target is ready, before its share grows. */
  readonly stillReady: () => Promise<void>;
  /** How a routing is written. @default through Pulumi */
  readonly write?: (before: Routing, after: Routing) => Promise<void>;
  /** Ends a proof that nobody wants any more; what was written stays. @default never */
  readonly stopProof?: AbortSignal | undefined;
  /** Only these views are proved: on a way back what the slot that is left answers says nothing. @default all */
  readonly only?: (view: ProofView) => boolean;
}

/** What a routing means for clients, for example `blue` or `75 % blue, 25 % green`. */
export function describeTraffic(routing: Routing): string {
  const split = splitOf(routing);
  const sharing = slots.filter((slot) => split[slot] > 0);
  if (sharing.length === 1) return sharing[0] ?? "";
  return sharing.map((slot) => `${split[slot]} % ${slot}`).join(", ");
}

/**
 * Takes the steps one by one: write, look, prove. A step that can't be proved is undone. A stop by the user takes effect
 * between steps, where traffic is on a slot that was proved.
 */
export async function moveTraffic(
  traffic: Traffic,
  from: Routing,
  steps: readonly RoutingStep[],
): Promise<StepTiming[]> {
  const timings: StepTiming[] = [];
  const passed: Routing[] = [];
  let at = from;
  for (const next of steps) {
    if (traffic.context.signal.aborted) throw stopped(at, timings.length);
    timings.push(await takeStep({ ...traffic, earlier: passed }, at, next));
    passed.push(at);
    at = next.routing;
  }
  return timings;
}

function stopped(at: Routing, taken: number): UserError {
  return interrupted(
    "The switch",
    `${
      taken === 0
        ? "Nothing was changed"
        : `It stopped after ${taken} ${taken === 1 ? "step" : "steps"}, each of them proved`
    }: traffic is on ${describeTraffic(at)}. \`modelswitch switch SLOT\` goes on from here, to either slot.`,
  );
}

/**
 * One step: write, look, prove.
 * @throws UserError `proof-failed` when it could not be proved, and was undone
 */
export async function takeStep(traffic: Traffic, before: Routing, next: RoutingStep): Promise<StepTiming> {
  const { context } = traffic;
  const { clock } = context;
  await traffic.lock.check();
  if (next.visible) await traffic.stillReady();
  await refuseForeignChange(traffic, before);

  const startedAt = clock.now();
  await step(
    context.events,
    { id: `write-${next.name}`, title: titles[next.name](next.routing) },
    async () => {
      if (traffic.write === undefined) await write(traffic, next.routing);
      else await traffic.write(before, next.routing);
    },
    () => `traffic is declared on ${describeTraffic(next.routing)}`,
  );
  const writtenAt = clock.now();
  const subject = (await traffic.subjectInTime?.()) ?? traffic.subject;
  // From here to the proof the user's stop has to wait: it is short, and has a deadline.
  const verdict = await proveRouting(context, subject, next.routing, {
    id: `prove-${next.name}`,
    title: next.visible
      ? "Prove it at the ingress"
      : "Prove it at the ingress, each side forced by the preview header",
    signal: traffic.stopProof ?? unstoppable,
    // What changes nothing for clients is seen with the header forced.
    earlier: next.visible ? [...(traffic.earlier ?? []), before] : [],
    patient: traffic.stays === true,
    ...(traffic.only === undefined ? {} : { only: traffic.only }),
  });
  if (verdict.state === "open" && traffic.stays === true) throw behind(subject, next.routing, verdict);
  if (verdict.state === "open") throw await undo(traffic, before, next, verdict);
  return {
    name: next.name,
    routing: next.routing,
    visible: next.visible,
    writeMs: writtenAt - startedAt,
    proofMs: clock.now() - writtenAt,
    probes: verdict.evidence.probes,
  };
}

/** The way back is declared and stays so, proved or not. */
function behind(
  subject: ProofSubject,
  routing: Routing,
  verdict: Extract<ProofVerdict, { state: "open" }>,
): UserError {
  return unproved(subject, verdict, {
    message: `All traffic is declared on ${describeTraffic(routing)}, but the ingress does not show it`,
    hint: "Check the ingress controller and where it listens (ingress.endpoints in the config file); `modelswitch resume` goes on from here.",
  });
}

/** Opens the stack when it is first asked for. It outlives the user's stop: a write that has begun is finished. */
export function stackOnce(context: RolloutContext): Traffic["stack"] {
  let opened: Promise<ModelStack> | undefined;
  return () => {
    opened ??= context.openStack(unstoppable);
    return opened;
  };
}

const titles: Readonly<Record<RoutingStep["name"], (routing: Routing) => string>> = {
  arm: ({ candidate }) => `Arm ${candidate}: previews only, no traffic yet`,
  shift: ({ candidate, weight }) =>
    `Shift ${weight === 100 ? "all" : `${weight} % of the`} traffic to ${candidate}`,
  commit: ({ main }) => `Commit: the main Ingress leads to ${main}`,
  "re-arm": ({ main, candidate }) => `Re-arm ${candidate}: back to it in one step, all traffic on ${main}`,
  switch: ({ main }) => `Switch the Ingress to ${main}`,
};

/** Somebody who edits the routing by hand in the middle of a switch must not be overwritten. */
export async function refuseForeignChange(traffic: Traffic, expected: Routing): Promise<void> {
  const { routing } = await observeRouting(unsignalled(traffic.location));
  if (routing !== undefined && sameRouting(routing, expected)) return;
  throw new UserError({
    code: "routing-changed",
    message: `The routing was changed by somebody else in the middle of the switch: traffic was on ${describeTraffic(expected)}, now ${routing === undefined ? "the Ingress is gone" : `it is on ${describeTraffic(routing)}`}.`,
    hint: "Look at `modelswitch status`, agree with whoever did it, and run the switch again.",
    details: { expected, found: routing ?? null },
  });
}

/** Makes the routing so through Pulumi, and looks whether the cluster has it. */
export async function write(
  traffic: Pick<Traffic, "stack" | "spec" | "location" | "context">,
  routing: Routing,
): Promise<void> {
  const { spec } = traffic;
  const stack = await traffic.stack();
  const location = unsignalled(traffic.location);
  const isWritten = async () => {
    const found = await insistently(traffic.context, () => observeRouting(location));
    return found.routing !== undefined && sameRouting(found.routing, routing);
  };
  try {
    await stack.up({ spec, routing });
  } catch (error) {
    if (error instanceof UserError && error.exitCode === exitCodes.locked) throw error;
    // What counts is what the cluster has: a run may fail after its write.
    if (!(await isWritten())) throw error;
    traffic.context.events({
      type: "warning",
      code: "write-incomplete",
      message: `Pulumi reported a failure after the routing was written: ${messageOf(error)}`,
    });
    return;
  }
  if (await isWritten()) return;
  // The state believed that it was so already: somebody changed the objects behind its back, or a killed run did not save it.
  await stack.refresh({ spec, routing }, routingObjects(spec));
  await stack.up({ spec, routing });
  if (await isWritten()) return;
  throw new UserError({
    code: "write-without-effect",
    message: `The routing objects of ${spec.name} do not say what was written: something in the cluster changes them back.`,
    hint: "Look for a GitOps controller or an admission webhook that owns these Ingresses, and let it go of them.",
  });
}

/** An API server that fails for a moment must not end a command between a write and its proof. */
async function insistently<T>({ clock, config, events }: RolloutContext, look: () => Promise<T>): Promise<T> {
  const deadline = clock.now() + config.deadlines.proofMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (clock.now() >= deadline) throw error;
      const message = messageOf(error);
      events({ type: "info", message: `Looking again in a second at what was written: ${message}` });
      await clock.sleep(1000);
    }
  }
}

function unsignalled(location: ModelLocation): ModelLocation {
  // A signal of its own: without one the command's would be taken, and a stop would end the look at what was just written.
  return { ...location, signal: unstoppable };
}

/** Slots that would get more traffic by the undo, and have no pod at all that could answer. */
async function deadSlots(traffic: Traffic, before: Routing, attempted: Routing): Promise<Slot[]> {
  const location = unsignalled(traffic.location);
  const [back, now] = [splitOf(before), splitOf(attempted)];
  const gaining = slots.filter((slot) => back[slot] > now[slot]);
  const observed = await Promise.all(gaining.map((slot) => observeSlot(location, slot)));
  return observed.filter(({ endpoints }) => endpoints.ready.length === 0).map(({ slot }) => slot);
}

/** Writes the former routing back and proves that; the error says what was seen and where traffic is. */
async function undo(
  traffic: Traffic,
  before: Routing,
  failed: RoutingStep,
  { missing, evidence, advice }: Extract<ProofVerdict, { state: "open" }>,
): Promise<UserError> {
  const { context, subject } = traffic;
  const seconds = Math.round(proofDeadlineMs(context) / 1000);
  const what = `The step "${failed.name}" could not be proved at the ingress within ${seconds} s:\n${missing.map((line) => `  ${line}`).join("\n")}`;
  const details = { step: failed.name, evidence, before, attempted: failed.routing };
  try {
    // The proof took its time: somebody else may have taken over, and what they did is theirs.
    await traffic.lock.check();
    await refuseForeignChange(traffic, failed.routing);
    const dead = await deadSlots(traffic, before, failed.routing);
    if (dead.length > 0) {
      return new UserError({
        code: "proof-failed",
        message: `${what}\nIt was not undone, since ${dead.join(" and ")} has no ready pod: traffic is on ${describeTraffic(failed.routing)}.`,
        hint: "Check that the ingress controller reads these Ingresses (class, canary annotations) and reaches the pods; then run the command again.",
        details: { ...details, undone: false, proved: false },
      });
    }
    await step(
      context.events,
      { id: `undo-${failed.name}`, title: `Undo: traffic back to ${describeTraffic(before)}` },
      () => write(traffic, before),
    );
  } catch (error) {
    return new UserError({
      code: "undo-failed",
      message: `${what}\nPutting the former routing back failed too: ${messageOf(error)}`,
      hint: "Look at `modelswitch status`; `modelswitch switch SLOT` sends traffic to a slot that is ready.",
      details: { ...details, undone: false },
      cause: error,
    });
  }
  const back = await proveRouting(context, subject, before, {
    id: `prove-undo-${failed.name}`,
    title: "Prove the former routing",
    signal: unstoppable,
    earlier: failed.visible ? [failed.routing] : [],
  });
  // Where the slot that has the traffic again is not ready, nobody can be asked: that proves nothing.
  const asked = back.evidence.probes > 0;
  const proved = back.state === "proved" && asked;
  return new UserError({
    code: "proof-failed",
    message: `${what}\nThe former routing was put back${proved ? " and proved" : ""}: traffic is on ${describeTraffic(before)}.${
      back.state === "open"
        ? `\nThat could not be proved either:\n${back.missing.map((line) => `  ${line}`).join("\n")}`
        : ""
    }`,
    hint:
      advice.length > 0
        ? advice.join(" ")
        : proved || !asked
          ? "Check that the ingress controller reads these Ingresses (class, canary annotations) and reaches the pods, then run the command again."
          : "The ingress itself does not answer as declared: check the controller and the endpoints (ingress.endpoints), then run the command again.",
    details: { ...details, undone: true, proved },
  });
}
