import type { EventSink } from "../../core/events.ts";
import { next } from "../../core/rollout/next.ts";
import { goalOf, isWayBack } from "../../core/rollout/state.ts";
import { asksForClients } from "../../core/rollout/way-back.ts";
import type { HeldBy, SlotWorld, World } from "../../core/rollout/world.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import { windowAt } from "../../core/windows.ts";
import { occupants } from "../../slots/occupants.ts";
import { readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf, routingUnreadable } from "../context/deployed.ts";
import { areClientsAnswered } from "../ingress/clients-answered.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { observe } from "../observe/observe.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import { DrainWatch } from "./drain-watch.ts";
import type { PhaseGates } from "./phase-gates.ts";

/** What takes more than one look: since when each slot has been ready without a break, and whether one has drained. */
export class ReadyTimes {
  readonly drain = new DrainWatch();
  readonly lost = new LostPods();
  readonly #since = new Map<Slot, number>();

  /** Notes what is seen now; `undefined` while the slot is not ready. */
  see(slot: Slot, ready: boolean, now: number): number | undefined {
    if (!ready) this.#since.delete(slot);
    else if (!this.#since.has(slot)) this.#since.set(slot, now);
    return this.#since.get(slot);
  }
}

/** Looks at everything that the next step depends on. Nothing in it is remembered. */
export async function look(
  context: RolloutContext,
  record: RolloutRecord,
  times: ReadyTimes,
  gates: PhaseGates,
): Promise<{ readonly world: World; readonly observation: Observation }> {
  const location = locationOf(context, record);
  const observation = await observe(location);
  const routing = observation.routing ?? assumedBack(record);
  if (routing === undefined) {
    throw routingUnreadable(
      context,
      observation.ingress ?? { name: location.model, className: undefined, tlsHosts: [], addresses: [] },
      location,
    );
  }
  const { drained, at: now } = await times.drain.look(context, record, observation);
  for (const slot of slots) times.lost.tell(context.events, observation.slots[slot], now);
  const seen = { observation, routing };
  const of = { now, times, drained, gates: await gates.see(record, seen) };
  const world = worldOf(context, record, seen, of);
  const entry = record.rollout;
  if (entry === undefined || !asksForClients(entry.plan, entry.state, world)) return { observation, world };
  const clientsAnswered = await areClientsAnswered(context, record, observation);
  return { observation, world: { ...world, clientsAnswered } };
}

/** A way back asks nobody where clients are sent who are not sent to the model: it is away from its goal, and written as a whole. */
function assumedBack({ rollout }: RolloutRecord): Routing | undefined {
  if (rollout === undefined || !isWayBack(rollout.plan, rollout.state)) return undefined;
  return settledOn(otherSlot(goalOf(rollout.state)));
}

/** What a rollout waits for at this moment that somebody or the time has to bring, paused or not; what gates say is not asked. */
export function heldNow(
  context: RolloutContext,
  record: RolloutRecord,
  { plan, state }: RolloutRecordEntry,
  seen: { readonly observation: Observation; readonly routing: Routing },
): HeldBy | undefined {
  const unasked = { verdict: "hold", reason: "" } as const;
  const of = { now: context.clock.now(), times: new ReadyTimes(), drained: undefined, gates: unasked };
  const action = next(plan, { ...state, paused: false, followed: true }, worldOf(context, record, seen, of));
  return action.kind === "held" ? action.by : undefined;
}

function worldOf(
  context: RolloutContext,
  record: RolloutRecord,
  { observation, routing }: { readonly observation: Observation; readonly routing: Routing },
  { times, ...of }: Pick<World, "now" | "drained" | "gates"> & { readonly times: ReadyTimes },
): World {
  const slot = (name: Slot) => slotWorld(observation.slots[name], record, times, of.now);
  return {
    ...of,
    routing,
    slots: { blue: slot("blue"), green: slot("green") },
    unfinished: record.applying,
    window: windowAt(context.config.rollout.schedule, of.now),
    capabilities: locationOf(context, record).router.capabilities,
    clientsAnswered: undefined,
    patienceMs: context.config.deadlines.readyMs,
  };
}

function slotWorld(
  observed: SlotObservation,
  record: RolloutRecord,
  times: ReadyTimes,
  now: number,
): SlotWorld {
  const { settings } = record;
  const ready = readiness(observed).state === "ready";
  const isOurs = releaseOf(record, observed.slot)?.spec.image !== undefined;
  return {
    release: observed.deployment?.release,
    desired: observed.deployment?.desiredReplicas ?? 0,
    declared: settings.replicas[observed.slot],
    autoscaled: settings.scaling?.[observed.slot]?.autoscaling !== undefined,
    incomplete: observed.service === undefined || (isOurs && observed.deployment === undefined),
    pods: occupants(observed, now).holding.length,
    ready,
    usable: observed.endpoints.ready.length > 0,
    readyReplicas: observed.endpoints.ready.length,
    limit: settings.scaling?.[observed.slot]?.autoscaling?.max,
    scalable: observed.deployment !== undefined && isOurs,
    readySince: times.see(observed.slot, ready, now),
  };
}

/** Says of pods that nothing waits for any more, of each once: nobody knows whether they have ended. Lives as long as a command works on a rollout. */
export class LostPods {
  readonly #told = new Set<string>();

  tell(events: EventSink, observed: SlotObservation, now: number): void {
    const news = occupants(observed, now).lost.filter(({ name, uid }) => !this.#told.has(uid ?? name));
    if (news.length === 0) return;
    for (const { name, uid } of news) this.#told.add(uid ?? name);
    events({
      type: "warning",
      code: "pods-lost",
      message: `${news.map(({ name }) => name).join(", ")} of ${observed.slot} should have ended over half a minute ago, and their node does not say that they have: they are not waited for.`,
      hint: "Look at the node. One that is gone for good is taken out with `kubectl delete node`; then its pods go too.",
    });
  }
}
