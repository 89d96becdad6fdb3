import { type Clock, systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { type ObjectNames, objectNames } from "../core/names.ts";
import { splitOf } from "../core/routing.ts";
import { otherSlot, type Slot, slots } from "../core/slots.ts";
import type { KubernetesApi, KubernetesObject } from "../kubernetes/api.ts";
import { podReasons } from "../slots/not-ready.ts";
import type { SlotObservation } from "../slots/observation.ts";
import { observeSlotAt } from "../slots/observe-slot.ts";
import { presentPods } from "../slots/occupants.ts";
import { readiness } from "../slots/readiness.ts";
import { findRoutingObjects } from "./routers/find-objects.ts";
import type { ObservedObject, Router } from "./routers/router.ts";

export interface GuardedModel {
  readonly model: string;
  /** @default those that derive from the model's name */
  readonly names?: ObjectNames;
  readonly namespace: string;
  readonly router: Router;
}

export interface GuardedWrite extends GuardedModel {
  /** The routing object that is about to be written. */
  readonly written: ObservedObject;
  /** The most replicas of each slot that an autoscaler sizes. */
  readonly autoscaled?: Readonly<Partial<Record<Slot, number>>>;
  /** UID of that object in the stack's state: the guard must look at the same cluster as the provider. */
  readonly uid?: string;
}

export interface GuardOptions {
  readonly clock?: Clock;
  /** How long a slot that was just made ready may take to appear in the Service. @default 10 000 */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Refuses a write of a routing object that would send more traffic to a slot than it gets now, unless all the slot's desired
 * replicas are ready endpoints. A write that takes traffic from a slot, or that clients can't see, passes.
 * @throws UserError `slot-not-ready`, `slot-too-small`, `guard-other-cluster`, `routing-unreadable`
 */
export async function refuseUnreadySwitch(
  api: KubernetesApi,
  write: GuardedWrite,
  options: GuardOptions = {},
): Promise<void> {
  const { model, namespace, router, written } = write;
  const names = namesOf(write);
  const clock = options.clock ?? systemClock;
  const observed = await routingObjects(api, write, options.signal);
  const isWritten = (object: ObservedObject) =>
    object.metadata?.name === written.metadata?.name &&
    (written.kind === undefined || object.kind === undefined || object.kind === written.kind);
  const now = observed.find(isWritten);
  const what = `The ${written.kind ?? router.kinds[0].kind} ${namespace}/${written.metadata?.name}`;
  const uid = now?.metadata?.uid;
  if (write.uid !== undefined && uid !== undefined && uid !== write.uid) {
    throw new UserError({
      code: "guard-other-cluster",
      message: `${what} at ${api.server} is not the one of this stack (its UID is ${uid}, the stack's ${write.uid}): readiness would be looked up in another cluster than the one that is changed.`,
      hint: "Say how to reach the stack's cluster: guard: { path: …, context: … }.",
    });
  }
  const before = router.read(names, observed);
  const others = observed.filter((object) => !isWritten(object));
  // What somebody else has led elsewhere bars no write that leads clients back.
  const after = router.read(names, [...others, written]) ?? router.read(names, [written]);
  if (after === undefined) {
    throw new UserError({
      code: "routing-unreadable",
      message: `${what} leads to none of the slots of "${model}" as it would be written, or to both: whether the slot is ready can't be decided.`,
      hint: "Look for transforms that change its backends, or set guard: false to go without the check.",
    });
  }
  for (const slot of slots) {
    const gains = splitOf(after)[slot] > (before === undefined ? 0 : splitOf(before)[slot]);
    if (!gains) continue;
    const ready = await refuseUnready(api, write, slot, clock, options);
    const most = write.autoscaled?.[slot];
    const takesMost = splitOf(after)[slot] > 50;
    if (most !== undefined && before !== undefined && takesMost)
      await refuseTooSmall(api, write, slot, desiredOf(ready), most, options);
  }
}

/** An autoscaled slot without traffic has shrunk to its minimum: it must not get the load of a slot that has grown. */
async function refuseTooSmall(
  api: KubernetesApi,
  guarded: GuardedModel,
  slot: Slot,
  present: number,
  most: number,
  { signal }: GuardOptions,
): Promise<void> {
  const { model, namespace } = guarded;
  const other = await observeSlotAt({ api, namespace, names: namesOf(guarded), signal }, otherSlot(slot));
  const desired = desiredOf(other);
  const needed = Math.min(desired, most);
  if (present >= needed) return;
  throw new UserError({
    code: "slot-too-small",
    message: `Refused to send traffic of "${model}" to ${slot}: it has ${present} replicas, but ${otherSlot(slot)}, which carries the traffic, has ${desired} now.`,
    hint: `Traffic stays where it is. Set slots.${slot}.autoscaling.min to ${needed} in an update of its own, switch, and lower it afterwards; guard: false goes without this check.`,
    details: { slot, present, needed },
  });
}

/** Replicas that a slot should have: where somebody else runs them, as many as there are. */
function desiredOf(observed: SlotObservation): number {
  return observed.deployment?.desiredReplicas ?? presentPods(observed).length;
}

async function refuseUnready(
  api: KubernetesApi,
  guarded: GuardedModel,
  slot: Slot,
  clock: Clock,
  { deadlineMs = 10_000, signal }: GuardOptions,
): Promise<SlotObservation> {
  const { model, namespace } = guarded;
  const names = namesOf(guarded);
  const deadline = clock.now() + deadlineMs;
  for (;;) {
    const observed = await observeSlotAt({ api, namespace, names, signal }, slot);
    const verdict = readiness(observed);
    if (verdict.state === "ready") return observed;
    // Pods that are ready take a moment to become endpoints; a slot without any will not get them by waiting.
    if (clock.now() >= deadline || desiredOf(observed) === 0) {
      const why = [...verdict.reasons, ...podReasons(verdict)];
      throw new UserError({
        code: "slot-not-ready",
        message: `Refused to send traffic of "${model}" to ${slot}: ${why.join("; ")}.`,
        hint: `Traffic stays where it is. ${remedy(observed, names.service[slot], namespace)} guard: false goes without this check.`,
        details: {
          slot,
          service: names.service[slot],
          desired: desiredOf(observed),
          ready: verdict.readyReplicas,
          reasons: why,
        },
      });
    }
    await clock.sleep(500, signal);
  }
}

function remedy(observed: SlotObservation, service: string, namespace: string): string {
  if (desiredOf(observed) === 0) {
    return `Give ${service} pods first; if it was scaled down by hand, \`pulumi up --refresh\` puts that right.`;
  }
  const command = `kubectl --namespace ${namespace} get endpointslices --selector kubernetes.io/service-name=${service}`;
  return `Run it again once they are (\`${command}\`).`;
}

/**
 * Refuses an update that leaves the slot which carries traffic without replicas.
 * @throws UserError `live-slot-emptied`
 */
export async function refuseEmptyingSlot(
  api: KubernetesApi,
  guarded: GuardedModel,
  slot: Slot,
  options: GuardOptions = {},
): Promise<void> {
  const routing = guarded.router.read(namesOf(guarded), await routingObjects(api, guarded, options.signal));
  const share = routing === undefined ? 0 : splitOf(routing)[slot];
  if (share === 0) return;
  throw new UserError({
    code: "live-slot-emptied",
    message: `Refused to scale ${namesOf(guarded).deployment[slot]} to 0 replicas: ${slot} carries ${share} % of the traffic of "${guarded.model}".`,
    hint: `Switch to ${otherSlot(slot)} first, in an update of its own; guard: false goes without this check.`,
    details: { slot, share },
  });
}

/**
 * Refuses to point a slot's Service at other pods: traffic moves by routing objects alone.
 * @throws UserError `selector-changed`
 */
export function refuseChangedSelector(service: string, before: unknown, after: unknown): void {
  const [was, is] = [before, after].map((selector) => JSON.stringify(Object.entries(selector ?? {}).sort()));
  if (was === is) return;
  throw new UserError({
    code: "selector-changed",
    message: `Refused to change the selector of the Service ${service} from ${JSON.stringify(before)} to ${JSON.stringify(after)}: it would move traffic to other pods at once, unproved.`,
    hint: "A slot keeps its selector for life. Make a model of another name for other pods, or set guard: false.",
  });
}

/** What the cluster has of the model's routing. */
export async function routingObjects(
  api: KubernetesApi,
  guarded: GuardedModel,
  signal: AbortSignal | undefined,
): Promise<(KubernetesObject & ObservedObject)[]> {
  const objects = await findRoutingObjects({ ...guarded, api }, namesOf(guarded), signal);
  return objects.filter((object) => object !== undefined);
}

export function namesOf({ model, names }: GuardedModel): ObjectNames {
  return names ?? objectNames(model);
}
