import type { RolloutRequest } from "../../rollout/record/rollouts.ts";
import type { Command, CommandResult, OptionSpec } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";
import { heardResult, rolloutResult } from "./rollout-end.ts";

/** For commands that work on a rollout. */
export const waitOption: OptionSpec = {
  name: "wait",
  summary: "wait for approvals and windows instead of ending with exit code 5",
};

/** The commands that steer a rollout, whoever works on it. */
function steering(
  kind: RolloutRequest["kind"],
  about: Pick<Command, "summary" | "description">,
  options: readonly OptionSpec[] = [],
): Command {
  return {
    name: kind,
    ...about,
    options,
    examples: [`modelswitch ${kind}`],
    output: "long",
    ifInterrupted: "It is heard before the next step all the same; `modelswitch status` shows the rollout.",
    async run({ options: given }, context): Promise<CommandResult> {
      const rollout = await openRolloutAnywhere(context);
      const { control } = await import("../../rollout/commands/steer.ts");
      const more = [
        ...(given["ignore-windows"] === true ? (["ignore-windows"] as const) : []),
        ...(given.now === true ? (["now"] as const) : []),
      ];
      const result = await control(rollout, [kind, ...more], { waitWhenHeld: given.wait === true });
      if (result.kind === "done") {
        const ended = rolloutResult(rollout, result.end);
        // A pause that was asked for is no failure to go on.
        return kind === "pause" ? { ...ended, exitCode: 0 } : ended;
      }
      return heardResult(rollout, result);
    },
  };
}

export const pause = steering("pause", {
  summary: "Hold a rollout before its next step",
  description: "Traffic stays as it is. A step that has begun is finished first.",
});
export const resume = steering(
  "resume",
  {
    summary: "Go on with a rollout that was paused, interrupted or killed",
    description: "Looks at the cluster, and goes on from what is there.",
  },
  [waitOption],
);
export const promote = steering(
  "promote",
  {
    summary: "Take a rollout live without the steps, approvals and waiting times that are left",
    description: "Readiness and proof are never skipped.",
  },
  [{ name: "ignore-windows", summary: "move traffic outside the windows, and in a freeze; it is recorded" }],
);
export const approve = steering(
  "approve",
  {
    summary: "Let a rollout go on that waits for an approval (`rollout.approval`)",
    description: "It counts for the phase that the rollout waits before. Who approved is recorded.",
  },
  [waitOption],
);
export const abort = steering(
  "abort",
  {
    summary: "Take a rollout back: traffic returns to the slot that had it",
    description:
      "Also where the command that began it was killed. After a release is live there is `rollback`.",
  },
  [{ name: "now", summary: "all traffic at once to a slot that is smaller than the load" }],
);
