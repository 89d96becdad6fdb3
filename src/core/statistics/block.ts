/** One reading of the counters of both slots, over the same time, at the same place. */
export interface Block {
  /** Events (errors, slow answers, …) among the requests of the new slot. A sum of values in [0, 1] will do. */
  readonly newEvents: number;
  readonly newRequests: number;
  readonly liveEvents: number;
  readonly liveRequests: number;
}

/** No request yet. */
export const emptyBlock: Block = { newEvents: 0, newRequests: 0, liveEvents: 0, liveRequests: 0 };

/** Shortest block, milliseconds: shorter scrapes are added up. Bursts of one slot need it. */
export const shortestBlockMs = 10_000;

/** Both slots had requests: only such a block compares anything. */
export function isComparing({ newRequests, liveRequests }: Block): boolean {
  return newRequests > 0 && liveRequests > 0;
}

/** The same block with the slots exchanged: whether live has more than the new one. */
export function swapped({ newEvents, newRequests, liveEvents, liveRequests }: Block): Block {
  return {
    newEvents: liveEvents,
    newRequests: liveRequests,
    liveEvents: newEvents,
    liveRequests: newRequests,
  };
}

/** Two blocks as one. Only for the same share in both. */
export function added(a: Block, b: Block): Block {
  return {
    newEvents: a.newEvents + b.newEvents,
    newRequests: a.newRequests + b.newRequests,
    liveEvents: a.liveEvents + b.liveEvents,
    liveRequests: a.liveRequests + b.liveRequests,
  };
}

/**
 * What clients asked: the counters know neither paths nor headers, so what the product itself sent is subtracted. `undefined`: the block is
 * dropped, because a proof ran within it, or because more would be subtracted than was counted.
 */
export function ofClients(
  counted: Block,
  own: Block,
  { proofInBlock }: { readonly proofInBlock: boolean },
): Block | undefined {
  if (proofInBlock) return undefined;
  const block: Block = {
    newEvents: counted.newEvents - own.newEvents,
    newRequests: counted.newRequests - own.newRequests,
    liveEvents: counted.liveEvents - own.liveEvents,
    liveRequests: counted.liveRequests - own.liveRequests,
  };
  return isPossible(block) ? block : undefined;
}

/** No negative count (a counter began again), and no more events than requests. */
export function isPossible({ newEvents, newRequests, liveEvents, liveRequests }: Block): boolean {
  return newEvents >= 0 && liveEvents >= 0 && newEvents <= newRequests && liveEvents <= liveRequests;
}
