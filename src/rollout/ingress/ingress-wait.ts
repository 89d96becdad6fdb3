import { UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { whoGivesAddress } from "../../core/ingress-class.ts";
import type { RolloutContext } from "../context/context.ts";
import { type ModelLocation, namesAt, observeRouting } from "../observe/observe.ts";
import { seeIngressClass } from "./ingress-class.ts";

/** By then a controller that runs has published its address; a cloud's load balancer takes minutes. */
const patienceMs = 15_000;
const pauseMs = 500;

/**
 * Runs `work`, which writes the Ingress and waits for its address, for as long as `deadlines.ready`, and says what is waited for: an Ingress
 * that no controller serves never gets one.
 * @throws UserError `ingress-without-address`
 */
export async function whileIngressWaits<T>(
  context: Pick<RolloutContext, "api" | "config" | "signal" | "clock" | "namespace">,
  location: ModelLocation,
  given: { readonly signal: AbortSignal; readonly events: EventSink },
  work: (signal: AbortSignal, events: EventSink) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController();
  const workDone = new AbortController();
  const [main] = location.router.refs(namesAt(location));
  let state: "before" | "waiting" | "over" = "before";
  const events: EventSink = (event) => {
    if (event.type === "resource" && event.kind === main.kind.kind && event.name === main.name) {
      if (event.status === "started") state = "waiting";
      else if (event.status === "done" || event.status === "failed") state = "over";
    }
    given.events(event);
  };
  let hopeless: unknown;
  const watch = async () => {
    const signal = AbortSignal.any([given.signal, workDone.signal]);
    try {
      while (state === "before") await context.clock.sleep(pauseMs, signal);
      hopeless = await addressMissing({ ...context, signal }, location, given.events, () => state === "over");
      if (hopeless !== undefined) giveUp.abort();
    } catch (error) {
      // What cannot be looked at is left to the work itself.
      if (!(error instanceof Error)) throw error;
    }
  };
  const watching = watch();
  try {
    return await work(AbortSignal.any([given.signal, giveUp.signal]), events);
  } catch (error) {
    throw hopeless ?? error;
  } finally {
    workDone.abort();
    await watching;
  }
}

/** The error where the time is up; `undefined` where there is an address, or nobody waits any more. */
async function addressMissing(
  context: Pick<RolloutContext, "api" | "config" | "signal" | "clock" | "namespace">,
  location: ModelLocation,
  events: EventSink,
  isOver: () => boolean,
): Promise<UserError | undefined> {
  const { clock, signal } = context;
  const { readyMs } = context.config.deadlines;
  const startedAt = clock.now();
  for (const until of [Math.min(patienceMs, readyMs), readyMs]) {
    while (clock.now() - startedAt < until) {
      if (isOver()) return undefined;
      await clock.sleep(pauseMs, signal);
    }
    const message = isOver() ? undefined : await describeMissing(context, location);
    if (message === undefined) return undefined;
    if (until === readyMs) {
      return new UserError({
        code: "ingress-without-address",
        message: `${message} It was waited for ${readyMs / 1000} s; what was made stays.`,
        hint: 'Start the controller of this class, or name another one (`ingress.className`), and run `modelswitch up` again; a slow load balancer needs a longer `deadlines.ready`. Where a controller never publishes an address, say so with the annotation pulumi.com/skipAwait: "true" in `ingress.annotations`, and where it listens in `ingress.endpoints`.',
      });
    }
    events({
      type: "warning",
      code: "ingress-without-address",
      message,
      hint: `It is waited for until \`deadlines.ready\` (${readyMs / 1000} s) is over.`,
    });
  }
  return undefined;
}

/** What is missing for an address; `undefined`: it has one. */
async function describeMissing(
  context: Pick<RolloutContext, "api" | "config" | "signal" | "namespace">,
  location: ModelLocation,
): Promise<string | undefined> {
  const { namespace, signal } = context;
  const { ingress } = await observeRouting({ ...location, signal });
  if ((ingress?.addresses ?? []).length > 0) return undefined;
  const [main] = location.router.refs(namesAt(location));
  const verdict = location.router.byIngressClass ? await seeIngressClass(context) : undefined;
  const who = verdict === undefined ? "" : `: ${whoGivesAddress(ingress?.className, verdict)}`;
  return `The ${main.kind.kind} ${namespace}/${main.name} has no address yet${who}.`;
}
