import { isInterrupted, messageOf } from "../../core/errors.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import {
  type CountersRead,
  namedSource,
  readCounters,
  type TrafficSource,
} from "../observe/read-counters.ts";
import type { CountedRollout } from "./counted-rollout.ts";
import { countersAbout, foundCounters, nobodyCounts, together } from "./counter-io.ts";
import { trafficGateOf } from "./live-traffic.ts";

/** Where clients' requests really went, as whoever counts them says. */
export type ObservedShare =
  | {
      readonly kind: "observed";
      /** Who counts, and where that is read. */
      readonly by: string;
      readonly where: string;
      /** Between the two readings. */
      readonly seconds: number;
      /** All of that time, also those of gates and proofs of a release in progress. */
      readonly requests: Readonly<Record<Slot, number>>;
      /** Per cent; `null`: no request in that time. */
      readonly split: Readonly<Record<Slot, number>> | null;
    }
  | { readonly kind: "unknown"; readonly why: string };

type Reading = Extract<CountersRead, { kind: "read" }>;

const timeoutMs = 5_000;

/** Whether the configuration says who counts. */
export function isCounted(context: Pick<RolloutContext, "config">): boolean {
  return trafficGateOf(context)?.sources !== undefined || context.config.metrics !== undefined;
}

/** Observes the shares of one model, in one look or in many. */
export class ShareObserver {
  #last: { readonly reading: Reading; readonly routing: string } | undefined;
  #source: TrafficSource | undefined;

  /**
   * Reads twice, `readingMs` apart; where the reading of the look before is old enough, once. Throws only where the command is stopped.
   */
  async observe(context: RolloutContext, seen: CountedRollout, readingMs: number): Promise<ObservedShare> {
    try {
      const routing = JSON.stringify(seen.routing);
      let before = this.#last;
      const isOfUse = before?.routing === routing && context.clock.now() - before.reading.atMs >= readingMs;
      if (before === undefined || !isOfUse) {
        const first = await this.#read(context, seen);
        if (first.kind === "unreadable") return { kind: "unknown", why: first.why };
        before = { reading: first, routing };
        await context.clock.sleep(readingMs, context.signal);
      }
      const now = await this.#read(context, seen);
      if (now.kind === "unreadable") return { kind: "unknown", why: now.why };
      this.#last = { reading: now, routing };
      return between(before.reading, now);
    } catch (error) {
      if (isInterrupted(error) || context.signal.aborted) throw error;
      return { kind: "unknown", why: messageOf(error) };
    }
  }

  async #read(context: RolloutContext, seen: CountedRollout): Promise<CountersRead> {
    const about = countersAbout(context, seen, { timeoutMs, signal: context.signal });
    const named = trafficGateOf(context)?.sources;
    this.#source ??= named === undefined ? undefined : namedSource(named);
    if (this.#source !== undefined) {
      const read = await readCounters(this.#source, about);
      // It may have moved.
      if (read.kind === "unreadable") this.#source = undefined;
      return read;
    }
    const found = await foundCounters(context, about, seen);
    if (found.kind === "none") return { kind: "unreadable", why: nobodyCounts(found.tried) };
    this.#source = found.source;
    return found.read;
  }
}

/** Pure. */
export function between(before: Reading, now: Reading): ObservedShare {
  const { by, where } = now;
  const seconds = (now.atMs - before.atMs) / 1000;
  const ids = ({ replicas }: Reading) => JSON.stringify(replicas.map(({ id }) => id).toSorted());
  if (seconds <= 0) return { kind: "unknown", why: `${where} has nothing newer yet` };
  if (ids(before) !== ids(now)) {
    return { kind: "unknown", why: `a replica of ${by} came, went or was started again` };
  }
  const [first, last] = [together(before), together(now)];
  const count = (slot: Slot) => last[slot].requests - first[slot].requests;
  const requests = { blue: count("blue"), green: count("green") };
  if (slots.some((slot) => requests[slot] < 0)) {
    return { kind: "unknown", why: `the counters of ${by} began anew` };
  }
  const all = requests.blue + requests.green;
  const share = (slot: Slot) => Math.round((requests[slot] / all) * 1000) / 10;
  const split = all === 0 ? null : { blue: share("blue"), green: share("green") };
  return { kind: "observed", by, where, seconds: Math.round(seconds * 10) / 10, requests, split };
}
