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

/** What a rollout waits for, in words. Pure. */
export function describeHeld(by: HeldBy): string {
  switch (by.kind) {
    case "approval":
      return `somebody has to approve the phase ${by.phase}`;
    case "window":
      return by.opensAt === undefined
        ? `traffic must not move: ${by.reason}`
        : `traffic must not move before ${new Date(by.opensAt).toISOString()}: ${by.reason}`;
    case "gates":
      return `a gate cannot tell: ${by.reason}`;
  }
}

/** What to do about it. Pure. */
export function heldHint(by: HeldBy, { release }: Pick<RolloutState, "release">): string {
  const back = `\`modelswitch abort\` takes release ${release} back.`;
  switch (by.kind) {
    case "approval":
      return `\`modelswitch approve\` lets it go on; ${back}`;
    case "window":
      return `\`modelswitch reconcile\` goes on when the time has come, \`modelswitch promote --ignore-windows\` at once; ${back}`;
    case "gates":
      return `\`modelswitch resume\` asks the gates again, \`modelswitch promote\` goes on without them; ${back}`;
  }
}
