import type { UserError } from "../../core/errors.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import type { HeldBy } from "../../core/rollout/world.ts";

/** How a command's work on a rollout ended. */
export type RolloutEnd =
  | { readonly kind: "finished"; readonly state: RolloutState; readonly failure: UserError | undefined }
  | { readonly kind: "paused"; readonly state: RolloutState }
  /** It goes on when somebody says so, or when the time has come. */
  | { readonly kind: "held"; readonly state: RolloutState; readonly by: HeldBy }
  /** All traffic is on the target; the old slot stays until then for a rollback in one step. */
  | { readonly kind: "live"; readonly state: RolloutState; readonly until: number };
