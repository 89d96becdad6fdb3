import { messageOf, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import {
  describeExtras,
  describeTraffic,
  type Routing,
  type RoutingStep,
  settled,
  splitOf,
} from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import type { RolloutContext } from "../context/context.ts";
import type { ProofSubject } from "../ingress/proof-subject.ts";
import { proofDeadlineMs, proveRouting, unproved } from "../ingress/prove-routing.ts";
import type { Lock } from "../lock/lock.ts";
import { observeSlot } from "../observe/observe.ts";
import type { ModelStack } from "../program/model-stack.ts";
import type { ProofVerdict, ProofView } from "../proof/proof.ts";
import type { RoutingPlace } from "./routing-write.ts";
import { refuseForeignChange, unstopped } from "./routing-write.ts";

/** How one step went. */
export interface StepTiming {
  readonly name: RoutingStep["name"];
  readonly routing: Routing;
  readonly visible: boolean;
  readonly writeMs: number;
  readonly proofMs: number;
  readonly probes: number;
}

export interface Traffic extends Omit<RoutingPlace, "stack"> {
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
  /** Clients are sent to something else than the model, or the routing objects are gone: `before` is assumed. @default false */
  readonly isAstray?: boolean;
  /** Writes a routing. */
  readonly write: (before: Routing, after: Routing) => Promise<void>;
  /** Ends a proof that nobody wants any more; what was written stays. @default never */
  readonly stopProof?: AbortSignal | undefined;
  /** Only these views are proved: on a way back what the slot that is left answers says nothing. @default all */
  readonly only?: (view: ProofView) => boolean;
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
  await refuseForeignChange(traffic, traffic.isAstray === true ? undefined : before);

  const startedAt = clock.now();
  await step(
    context.events,
    {
      id: `write-${next.name}`,
      title: titles[next.name](next.routing, traffic.location.router.kinds[0].kind),
    },
    () => traffic.write(before, next.routing),
    () => {
      const extras = describeExtras(next.routing);
      return `traffic is declared on ${describeTraffic(next.routing)}${extras === undefined ? "" : `; ${extras}`}`;
    },
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
export function stackOnce(context: RolloutContext): RoutingPlace["stack"] {
  let opened: Promise<ModelStack> | undefined;
  return () => {
    opened ??= context.openStack(unstoppable);
    return opened;
  };
}

const titles: Readonly<Record<RoutingStep["name"], (routing: Routing, kind: string) => string>> = {
  arm: ({ candidate }) => `Arm ${candidate}: previews only, no traffic yet`,
  shift: (routing) => {
    const { main, candidate, weight } = settled(routing);
    return weight === 0 ? `Shift all traffic to ${main}` : `Shift ${weight} % of the traffic to ${candidate}`;
  },
  commit: ({ main }, kind) => `Commit: the main ${kind} leads to ${main}`,
  "re-arm": ({ main, candidate }) => `Re-arm ${candidate}: back to it in one step, all traffic on ${main}`,
  switch: ({ main }, kind) => `Switch the ${kind} to ${main}`,
  testers: ({ testers }) =>
    testers === undefined ? "Testers get what everybody gets" : `Testers get ${testers}`,
  mirror: ({ mirror, candidate }) =>
    mirror === undefined
      ? `No copies of requests to ${candidate} any more`
      : `Copy ${mirror} % of the requests to ${candidate}`,
  pin: () => "Clients stay on the slot that they get from now on",
  unpin: (routing) => `Clients that stayed where they were go to ${describeTraffic(routing)}`,
};

/** Slots that would get more traffic by the undo, and have no pod at all that could answer. */
async function deadSlots(traffic: Traffic, before: Routing, attempted: Routing): Promise<Slot[]> {
  const location = unstopped(traffic.location);
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
  const seconds = Math.round(proofDeadlineMs(context, subject.router) / 1000);
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
      () => traffic.write(failed.routing, before),
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
