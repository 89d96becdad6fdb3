import { lookup as dnsLookup } from "node:dns/promises";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Lookup } from "./ingress-endpoints.ts";

const longestMs = 5_000;

/** Resolves a host name to all its addresses. A name service that does not answer is not waited for longer than 5 s: the system's own patience is half a minute and more. */
export const lookupInTime: Lookup = (name) => within(dnsLookup(name, { all: true }), longestMs);

/** What cannot be stopped, for so long at the most. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock = systemClock): Promise<T> {
  const ended = new AbortController();
  const late = clock.sleep(ms, ended.signal).then(
    () => Promise.reject(new Error(`the name service does not answer within ${ms / 1000} s`)),
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}
