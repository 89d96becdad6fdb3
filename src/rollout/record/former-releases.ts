import { otherSlot, type Slot } from "../../core/slots.ts";
import { type ReleaseRecord, type RolloutRecord, releaseOf } from "./record.ts";

/**
 * The release that a plain `rollback` means: the one that was live before. The other slot's, else the newest older one; never
 * one that was tried and never stayed, or that a rollback left. A rollback that failed changes nothing of this. Pure.
 */
export function previousRelease(record: RolloutRecord, live: Slot): ReleaseRecord | undefined {
  const number = record.slots[live];
  const bad = releasesToAvoid(record);
  const other = releaseOf(record, otherSlot(live));
  if (other !== undefined && other.number !== number && !bad.has(other.number)) return other;
  return record.releases.findLast((one) => number !== null && one.number < number && !bad.has(one.number));
}

/** Releases that nobody means by "back". What a release or a rollback took live again is good again. */
export function releasesToAvoid({ rollouts = [] }: Pick<RolloutRecord, "rollouts">): ReadonlySet<number> {
  const bad = new Set<number>();
  for (const { kind, release, outcome, replaces } of rollouts) {
    if (outcome === "released") {
      bad.delete(release);
      if (kind === "rollback" && replaces !== undefined && replaces !== null && replaces !== release)
        bad.add(replaces);
    } else if (kind === "release") bad.add(release);
  }
  return bad;
}
