import { UserError } from "../../core/errors.ts";
import type { RolloutContext } from "../context/context.ts";
import { worker } from "../lock/lock-worker.ts";
import { refuseInProgress } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";

/**
 * Leaves a rollout alone that is on its way, and says whether somebody works on it: what to do next depends on that.
 * @throws UserError `rollout-in-progress` (exit code 4)
 */
export async function refuseOtherRollout(
  context: RolloutContext,
  record: RolloutRecord | undefined,
): Promise<void> {
  try {
    refuseInProgress(context.config.name, record);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, hint = "", exitCode, details } = error;
    const works = await worker(context);
    const isAlive = typeof works === "string";
    const now =
      works === undefined ? "" : isAlive ? ` ${works} works on it now.` : " No command works on it now.";
    throw new UserError({
      code,
      message: `${message}${now}`,
      hint: isAlive
        ? "Wait for it, or steer it from here: `modelswitch pause`, `promote` and `abort` are heard by that command."
        : hint,
      exitCode,
      details: { ...details, worksOnIt: works ?? null },
    });
  }
}
