import type { Block } from "./block.ts";

/**
 * How much more a slot's events come in lumps than single requests would: 1 for independent requests, shown, and warned about over 3. Never
 * part of a verdict.
 */
export interface DispersionMemory {
  readonly newEvents: number;
  readonly newRequests: number;
  readonly liveEvents: number;
  readonly liveRequests: number;
  /** Sums over blocks of u and v. */
  readonly seen: number;
  readonly expected: number;
}

export const noDispersion: DispersionMemory = {
  newEvents: 0,
  newRequests: 0,
  liveEvents: 0,
  liveRequests: 0,
  seen: 0,
  expected: 0,
};

/** Above this a report warns of bursts. */
export const dispersionWarning = 3;

/** Given all events of a block, the new slot's are binomial with the share pi at a known ratio of the rates; its surplus variance is summed. */
export function withDispersion(memory: DispersionMemory, block: Block): DispersionMemory {
  const { newEvents, newRequests, liveEvents, liveRequests } = block;
  const events = newEvents + liveEvents;
  const next = {
    newEvents: memory.newEvents + newEvents,
    newRequests: memory.newRequests + newRequests,
    liveEvents: memory.liveEvents + liveEvents,
    liveRequests: memory.liveRequests + liveRequests,
  };
  if (events === 0 || newRequests === 0 || liveRequests === 0) return { ...memory, ...next };
  const earlierNew = memory.newEvents + 0.5;
  const earlierLive = memory.liveEvents + 0.5;
  const isFirst = memory.newRequests === 0 || memory.liveRequests === 0;
  const ratio = isFirst
    ? 1
    : Math.min(20, Math.max(1 / 20, earlierNew / memory.newRequests / (earlierLive / memory.liveRequests)));
  const share = (ratio * newRequests) / (ratio * newRequests + liveRequests);
  const v = events * share * (1 - share);
  const u = (v * (newEvents - events * share) ** 2) / (v + v * v * (1 / earlierNew + 1 / earlierLive));
  return { ...next, seen: memory.seen + u, expected: memory.expected + v };
}

/** Pulled towards 1 while little was seen. */
export function dispersionOf({ seen, expected }: DispersionMemory): number {
  return (2 + seen) / (2 + expected);
}
