import { messageOf, UserError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/model.ts";
import { describeTraffic, type Routing, sameRouting } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import type { RolloutContext } from "../context/context.ts";
import type { ModelLocation } from "../observe/observe.ts";
import { observeRouting } from "../observe/observe.ts";
import type { ModelStack } from "../program/model-stack.ts";

/** Where a routing is written, and who writes it. */
export interface RoutingPlace {
  readonly context: RolloutContext;
  readonly location: ModelLocation;
  readonly spec: ModelSpec;
  readonly stack: () => Promise<ModelStack>;
}

/**
 * Lets Pulumi's state have a routing that the cluster has, with all that is declared beside it. Whoever changes the routing meanwhile is not
 * overwritten knowingly.
 * @throws UserError `routing-changed`
 */
export async function followRouting(place: RoutingPlace, routing: Routing): Promise<void> {
  const { spec } = place;
  const stack = await place.stack();
  await refuseForeignChange(place, routing);
  await stack.up({ spec, routing });
  await refuseForeignChange(place, routing);
}

/**
 * Looks whether the cluster has what was just written.
 * @throws UserError `write-without-effect`
 */
export async function requireWritten(place: Omit<RoutingPlace, "stack">, routing: Routing): Promise<void> {
  if (await isWritten(place, routing)) return;
  throw new UserError({
    code: "write-without-effect",
    message: `The routing objects of ${place.spec.name} do not say what was written: something in the cluster changes them back.`,
    hint: "Look for a GitOps controller or an admission webhook that owns these Ingresses, and let it go of them.",
  });
}

async function isWritten(
  { context, location }: Pick<RoutingPlace, "context" | "location">,
  routing: Routing,
): Promise<boolean> {
  const found = await insistently(context, () => observeRouting(unstopped(location)));
  return found.routing !== undefined && sameRouting(found.routing, routing);
}

/**
 * Somebody who edits the routing by hand in the middle of a switch must not be overwritten.
 * @param expected `undefined`: the objects say nothing of the model, and a way back writes them as a whole
 */
export async function refuseForeignChange(
  { location }: Pick<RoutingPlace, "location">,
  expected: Routing | undefined,
): Promise<void> {
  const { routing } = await observeRouting(unstopped(location));
  if (expected === undefined) {
    if (routing === undefined) return;
  } else if (routing !== undefined && sameRouting(routing, expected)) return;
  const was = expected === undefined ? "not the model's" : `on ${describeTraffic(expected)}`;
  throw new UserError({
    code: "routing-changed",
    message: `The routing was changed by somebody else in the middle of the switch: traffic was ${was}, now ${routing === undefined ? `the ${location.router.kinds[0].kind} is gone` : `it is on ${describeTraffic(routing)}`}.`,
    hint: "Look at `modelswitch status`, agree with whoever did it, and run the switch again.",
    details: { expected: expected ?? null, found: routing ?? null },
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

/** A signal of its own: without one the command's would be taken, and a stop would end the look at what was just written. */
export function unstopped(location: ModelLocation): ModelLocation {
  return { ...location, signal: unstoppable };
}
