import type { Routing } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { Observation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";

/** What the executor saw last. */
export interface Seen {
  readonly record: RolloutRecord;
  readonly observation: Observation;
  readonly routing: Routing;
  /** The slot that the release is in. */
  readonly slot: Slot;
}
