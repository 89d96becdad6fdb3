import { lookup as dnsLookup } from "node:dns/promises";
import { type Clock, systemClock, within } from "../../core/clock.ts";
import type { Lookup } from "./ingress-endpoints.ts";

/** A name service that does not answer is not waited for longer: the system's own patience is half a minute and more. */
const longestMs = 5_000;

/** Resolves a host name to all its addresses. */
export const lookupInTime: Lookup = (name) => inTime(dnsLookup(name, { all: true }));

/** What a name service answers, for so long at the most: it cannot be stopped. */
export async function inTime<T extends object>(answer: Promise<T>, clock: Clock = systemClock): Promise<T> {
  const found = await within({ clock }, longestMs, answer);
  if (found !== undefined) return found;
  throw new Error(`the name service does not answer within ${longestMs / 1000} s`);
}
