import { otherSlot, type Slot } from "../../core/slots.ts";
import { type Difference, differences } from "../record/differences.ts";
import { wasEverLive } from "../record/ever-live.ts";
import {
  nextReleaseNumber,
  type ReleaseRecord,
  type ReleaseSpec,
  type RolloutRecord,
  releaseOf,
} from "../record/record.ts";
import { releaseDifferences } from "../record/release-spec.ts";
import type { PlanInput } from "./plan-input.ts";
import { liveChangeRefused } from "./plan-refusals.ts";

/** Whether a slot runs a release that was ever live, which stays what it is. Pure. */
export function isSettled(record: RolloutRecord, slot: Slot, carries: boolean): boolean {
  const number = record.slots[slot];
  return number !== null && wasEverLive(record, number, carries);
}

/**
 * What the live slot gets as long as nobody was ever served by what was to run there: what the template says now. Where an
 * unfinished change of a slot with traffic is given up, it gets its former release back. Pure.
 * @throws UserError `live-change-refused`
 */
export function planFresh(
  input: PlanInput,
  live: Slot,
  template: ReleaseSpec,
  carries: (slot: Slot) => boolean,
): {
  readonly releases: readonly ReleaseRecord[];
  readonly slots: Readonly<Record<Slot, number | null>>;
} {
  const { config, record, now, by } = input;
  const other = otherSlot(live);
  const kept = record !== undefined && isSettled(record, other, carries(other)) ? record.slots[other] : null;
  const half = record === undefined ? undefined : releaseOf(record, live);
  // Nobody goes back to what was never live.
  const releases = (record?.releases ?? []).filter((one) => one !== half || one.number === kept);
  const planned = (release: ReleaseRecord) => ({
    releases: [...releases.filter(({ number }) => number !== release.number), release],
    slots: slotNumbers(live, release.number, kept),
  });

  const before = carries(live) ? lastLive(record, releases, live) : undefined;
  if (before !== undefined && releaseDifferences(before.spec, template).length === 0) return planned(before);
  const isSame = half !== undefined && releaseDifferences(half.spec, template).length === 0;
  if (half !== undefined && isSame) return planned({ ...half, spec: template });
  const changes =
    half === undefined
      ? unrecorded(input, live, template)
      : releaseDifferences((before ?? half).spec, template);
  if (changes.length > 0 && carries(live) && !input.allowLiveChange)
    throw liveChangeRefused(config, live, changes);
  const isApplied = half !== undefined && input.observation.slots[live].deployment?.release === half.number;
  const number = half === undefined || isApplied ? nextReleaseNumber(record) : half.number;
  return planned({ number, slot: live, spec: template, createdAt: now, by });
}

function lastLive(
  record: RolloutRecord | undefined,
  releases: readonly ReleaseRecord[],
  live: Slot,
): ReleaseRecord | undefined {
  return releases.findLast(
    ({ slot, number }) => slot === live && record !== undefined && wasEverLive(record, number, false),
  );
}

function slotNumbers(slot: Slot, number: number, other: number | null): Record<Slot, number | null> {
  return slot === "blue" ? { blue: number, green: other } : { blue: other, green: number };
}

/** How the wanted spec differs from what a slot runs of which the record knows nothing. */
export function unrecorded(input: PlanInput, slot: Slot, spec: ReleaseSpec): Difference[] {
  const running = input.observation.slots[slot].deployment?.image;
  if (running === undefined || running === spec.image) return [];
  return differences({ image: running }, { ...(spec.image === undefined ? {} : { image: spec.image }) }, []);
}
