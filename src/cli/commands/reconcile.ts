import type { Command, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";
import { rolloutResult } from "./rollout-end.ts";

export const reconcile: Command = {
  name: "reconcile",
  summary: "Finish what is due: resume what was interrupted, scale down old slots",
  description:
    "Does nothing where nothing is due; safe to run from cron or a CI job. A rollout that was paused stays paused; one that waits for an approval or a window waits on.",
  examples: ["modelswitch reconcile"],
  output: "long",
  ifInterrupted: "Traffic is on a slot that was proved. Run it again to go on.",
  async run(_input, context): Promise<CommandResult> {
    const rollout = await openRolloutAnywhere(context);
    const { resume } = await import("../../rollout/commands/release.ts");
    const end = await resume(rollout, "reconcile");
    if (end !== undefined) {
      const ended = rolloutResult(rollout, end);
      return end.kind === "paused" || end.kind === "held" ? { ...ended, exitCode: 0 } : ended;
    }
    return {
      data: { model: rollout.config.name, ended: "nothing-due" },
      text: [`Nothing is due for ${rollout.config.name}.`],
    };
  },
};
