import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Observation } from "../observe/observation.ts";
import type { Adoption } from "../record/adoption.ts";
import type { RolloutRecord } from "../record/record.ts";

/** What `up` goes by. */
export interface PlanInput {
  readonly config: ResolvedConfig;
  readonly record: RolloutRecord | undefined;
  readonly observation: Observation;
  /** ISO 8601. */
  readonly now: string;
  readonly by: string;
  /** Versions of the Secrets and ConfigMaps that are referred to, as they are now. @default none */
  readonly versions?: Readonly<Record<string, string>>;
  /** The user said so: `up` may change what a live slot runs. */
  readonly allowLiveChange: boolean;
  /** The user said so: `up` may scale the live slot down, also to nothing. */
  readonly allowLiveStop: boolean;
  /** Objects that are taken over right now. */
  readonly adopting?: Adoption;
}
