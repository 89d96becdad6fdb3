import { interrupted } from "../../core/errors.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { CommandContext } from "../command.ts";

/**
 * In the mode recreate nobody is served for a while: that has to be wanted.
 * @throws UserError `interrupted` where it is not; `confirmation-needed` without a terminal and without `--yes`
 */
export function agreeToDowntime(
  { config }: RolloutContext,
  context: Pick<CommandContext, "confirm">,
): (mode: ReleaseMode) => Promise<void> {
  return async ({ kind }) => {
    if (kind !== "recreate") return;
    const agreed = await context.confirm(
      `The mode recreate empties the live slot of ${config.name} first: every request fails from then until the other slot is ready and warm. Go on?`,
    );
    if (!agreed) throw interrupted("The release", "Nothing was changed.");
  };
}
