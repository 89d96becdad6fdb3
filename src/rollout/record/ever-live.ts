import { type Slot, slots } from "../../core/slots.ts";
import { isLive } from "./in-progress.ts";
import type { RolloutRecord } from "./record.ts";

/**
 * Whether a release has ever carried traffic. One that has is what a rollback means, and stays as it was; one that has not is
 * only what somebody wanted once. `carries`: its slot has a share of the traffic now. Pure.
 */
export function wasEverLive(record: RolloutRecord, number: number, carries: boolean): boolean {
  const release = record.releases.find((one) => one.number === number);
  if (release === undefined) return false;
  if (release.liveSince !== undefined || (carries && !record.applying)) return true;
  const { rollout, rollouts = [], history } = record;
  if (rollouts.some((one) => one.release === number && one.outcome === "released")) return true;
  if (rollout?.state.release === number && (isLive(rollout.state) || rollout.state.outcome === "released"))
    return true;
  const isIn = (slot: Slot) => record.slots[slot] === number;
  if (history.some(({ to, from, at }) => (isIn(to) || isIn(from)) && at >= release.createdAt)) return true;
  // Of what older versions wrote nobody knows: a command that finished made it, or it has traffic now.
  const isOld = record.releases.every(({ liveSince }) => liveSince === undefined);
  return isOld && (carries || (!record.applying && slots.some(isIn)));
}

/** The record with a note that what carries traffic does; the same object where that is known. Pure. */
export function withLive(
  record: RolloutRecord,
  carries: (slot: Slot) => boolean,
  now: string,
): RolloutRecord {
  const numbers = slots.filter(carries).map((slot) => record.slots[slot]);
  const isNews = record.releases.some(
    ({ number, liveSince }) => liveSince === undefined && numbers.includes(number),
  );
  if (!isNews) return record;
  return {
    ...record,
    releases: record.releases.map((release) =>
      release.liveSince === undefined && numbers.includes(release.number)
        ? { ...release, liveSince: now }
        : release,
    ),
  };
}
