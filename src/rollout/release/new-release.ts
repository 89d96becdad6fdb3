import type { Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context.ts";
import type { ReleaseRecord, ReleaseSpec } from "../record.ts";

/** A release that is about to be put into a slot. */
export function newRelease(
  { clock, operator }: Pick<RolloutContext, "clock" | "operator">,
  number: number,
  slot: Slot,
  spec: ReleaseSpec,
): ReleaseRecord {
  return { number, slot, spec, createdAt: new Date(clock.now()).toISOString(), by: operator };
}
