import { type Block, emptyBlock, ofClients, shortestBlockMs } from "./block.ts";

/** What one slot's counters say: cumulative, since they began. */
export interface SlotCounters {
  readonly requests: number;
  /** Events by metric. One that the slot does not count is missing. */
  readonly events: Readonly<Record<string, number>>;
}

/** Both slots' counters at one moment, of the same ingress. */
export interface Reading {
  /** Milliseconds, of any clock that does not go back. */
  readonly atMs: number;
  /** `undefined`: nothing could be read of the slot. */
  readonly new: SlotCounters | undefined;
  readonly live: SlotCounters | undefined;
  /** What the product itself has sent to each slot by then, cumulative. */
  readonly own: { readonly new: SlotCounters; readonly live: SlotCounters };
  /** The new slot's share that is declared, 0 to 1. */
  readonly share: number;
  /** A share was changed or proved since the reading before, or an own request is in flight. */
  readonly isDisturbed: boolean;
}

/** The open block, plain JSON. */
export interface CountersMemory {
  /** The reading with which it began; `undefined`: none yet. */
  readonly since: Reading | undefined;
  /** The last complete one: a counter that began again may already be above what it was when the block began. */
  readonly last: Reading | undefined;
  readonly isDisturbed: boolean;
}

export const noReading: CountersMemory = { since: undefined, last: undefined, isDisturbed: false };

/** What one more reading came to. */
export type ReadingOutcome =
  /** A block has ended, for each metric that both slots count. */
  | { readonly kind: "blocks"; readonly blocks: Readonly<Record<string, Block>>; readonly durationMs: number }
  /** The block goes on. */
  | { readonly kind: "open"; readonly why: "too-short" | "slot-missing" | "first-reading" }
  /** The block is left out, by rules that do not look at events. */
  | { readonly kind: "dropped"; readonly why: "disturbed" | "share-changed" | "counter-reset" };

/**
 * Blocks from readings of counters: at least `shortestMs` long, of one share, without proofs. Longer blocks are for slots whose events come in
 * bursts. A reading that lacks a slot ends no block: the next one
 * has its events. Pure.
 */
export function withReading(
  memory: CountersMemory,
  reading: Reading,
  shortestMs: number = shortestBlockMs,
): { readonly memory: CountersMemory; readonly outcome: ReadingOutcome } {
  const { since, last } = memory;
  const isDisturbed = memory.isDisturbed || reading.isDisturbed;
  if (reading.new === undefined || reading.live === undefined) {
    return { memory: { since, last, isDisturbed }, outcome: { kind: "open", why: "slot-missing" } };
  }
  const anew: CountersMemory = { since: reading, last: reading, isDisturbed: false };
  if (since?.new === undefined || since.live === undefined) {
    return { memory: anew, outcome: { kind: "open", why: "first-reading" } };
  }
  if (since.share !== reading.share) {
    return { memory: anew, outcome: { kind: "dropped", why: "share-changed" } };
  }
  if (isDisturbed) return { memory: anew, outcome: { kind: "dropped", why: "disturbed" } };
  if (
    last !== undefined &&
    (hasBegunAgain(last.new, reading.new) || hasBegunAgain(last.live, reading.live))
  ) {
    return { memory: anew, outcome: { kind: "dropped", why: "counter-reset" } };
  }
  const durationMs = reading.atMs - since.atMs;
  const own = { new: since.own.new, live: since.own.live };
  const metrics = Object.keys(reading.new.events);
  const blocks: Record<string, Block> = {};
  for (const metric of metrics) {
    const counted = blockBetween(metric, { new: since.new, live: since.live }, reading.new, reading.live);
    if (counted === undefined) continue;
    const sent = blockBetween(metric, own, reading.own.new, reading.own.live) ?? emptyBlock;
    const block = ofClients(counted, sent, { proofInBlock: false });
    if (block === undefined) return { memory: anew, outcome: { kind: "dropped", why: "counter-reset" } };
    blocks[metric] = block;
  }
  if (durationMs < shortestMs) {
    return { memory: { ...memory, last: reading }, outcome: { kind: "open", why: "too-short" } };
  }
  return { memory: anew, outcome: { kind: "blocks", blocks, durationMs } };
}

/** A counter is lower than it was. */
function hasBegunAgain(before: SlotCounters | undefined, now: SlotCounters): boolean {
  if (before === undefined) return false;
  return (
    now.requests < before.requests ||
    Object.entries(before.events).some(([metric, events]) => (now.events[metric] ?? events) < events)
  );
}

/** `undefined`: one of the slots does not count the metric. */
function blockBetween(
  metric: string,
  since: { readonly new: SlotCounters; readonly live: SlotCounters },
  newNow: SlotCounters,
  liveNow: SlotCounters,
): Block | undefined {
  const before = since.new.events[metric];
  const beforeLive = since.live.events[metric];
  const now = newNow.events[metric];
  const nowLive = liveNow.events[metric];
  if (before === undefined || beforeLive === undefined || now === undefined || nowLive === undefined) {
    return undefined;
  }
  return {
    newEvents: now - before,
    newRequests: newNow.requests - since.new.requests,
    liveEvents: nowLive - beforeLive,
    liveRequests: liveNow.requests - since.live.requests,
  };
}
