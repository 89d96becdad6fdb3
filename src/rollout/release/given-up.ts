import { liveSlot } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { Deployed } from "../context/deployed.ts";
import { releasesToAvoid } from "../record/former-releases.ts";
import { inProgress, isLive } from "../record/in-progress.ts";

/** A way back that something else takes the place of. */
export interface GivenUp {
  readonly slot: Slot;
  readonly release: number;
  /** End of its rollback window (ISO 8601), where that is open. */
  readonly until: string | undefined;
}

/** The release that runs beside the live one, and that another release would replace; `undefined`: there is none to go back to. Pure. */
export function warmSlotGivenUp({
  record,
  observation,
  routing,
}: Pick<Deployed, "record" | "observation" | "routing">): GivenUp | undefined {
  const live = liveSlot(routing);
  const slot = otherSlot(live);
  const release = record.slots[slot];
  const { deployment, endpoints } = observation.slots[slot];
  const isWarm = endpoints.ready.length > 0 && (deployment?.release ?? release) === release;
  if (release === null || release === record.slots[live] || !isWarm) return undefined;
  if (releasesToAvoid(record).has(release)) return undefined;
  const entry = inProgress(record);
  const until =
    entry !== undefined && isLive(entry.state) && entry.plan.rollbackWindowMs > 0
      ? new Date(entry.state.since + entry.plan.rollbackWindowMs).toISOString()
      : undefined;
  return { slot, release, until };
}

/** `green still runs release 3, warm until …: a release takes its place, and going back to 3 then means to start it again.` */
export function describeGivenUp({ slot, release, until }: GivenUp, what: string): string {
  const warm = until === undefined ? "warm" : `warm as the way back until ${until}`;
  return `${slot} still runs release ${release}, ${warm}: ${what} takes its place, and going back to ${release} then means to start it again.`;
}
