import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import { inProgress, isLive } from "./in-progress.ts";
import type { RolloutRecord } from "./record.ts";

/**
 * The slot that had the traffic when a command last moved it. Only for a way back from where clients are sent by somebody else's hand: who has the
 * traffic is what the routing objects say, wherever they say it. `undefined`: nobody was ever served. Pure.
 */
export function lastKnownLive(record: RolloutRecord): Slot | undefined {
  const entry = inProgress(record);
  if (entry !== undefined) return isLive(entry.state) ? entry.state.target : entry.state.from;
  const moves = [
    ...record.history.map(({ at, to }) => ({ at, slot: to })),
    ...(record.rollouts ?? []).map(({ endedAt, outcome, target }) => ({
      at: endedAt,
      slot: outcome === "released" ? target : otherSlot(target),
    })),
  ];
  const last = moves.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1);
  if (last !== undefined) return last.slot;
  return slots.find((slot) =>
    record.releases.some(({ number, liveSince }) => number === record.slots[slot] && liveSince !== undefined),
  );
}
