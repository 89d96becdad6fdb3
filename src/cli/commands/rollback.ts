import { exitCodes, UserError } from "../../core/errors.ts";
import type { Command, CommandResult } from "../command.ts";
import { capacityOption, withCapacity } from "./capacity-option.ts";
import { agreeToDowntime } from "./downtime.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";
import { heardResult, rolloutResult } from "./rollout-end.ts";
import { parsedSteps } from "./steps-option.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "Go back to an earlier release",
  description:
    "While the old slot is warm this is one shift of traffic, by the API server alone, proved at the ingress; nothing that the live release answers can hold it. A slot that is smaller than the load gets what it can carry at once, and the rest as it grows; all of it at once where clients are not served rightly as it is. An older release is put into the idle slot again first. For a rollout that is still in progress this is `abort`.",
  options: [
    { name: "to", value: "number", summary: "release to go back to; default: the one that was live before" },
    {
      name: "accept-changed",
      value: "kind/name",
      summary:
        "start its pods although secret/NAME or configmap/NAME is another version than it had; it is recorded",
      repeatable: true,
    },
    {
      name: "steps",
      value: "steps",
      summary:
        "shares on the way, for a cache that has to fill, for example 10%:30s,50%:1m; default: at once",
    },
    { name: "now", summary: "all traffic at once to a slot that is smaller than the load" },
    capacityOption,
  ],
  examples: ["modelswitch rollback", "modelswitch rollback --to 3"],
  output: "long",
  ifInterrupted: "Traffic is on a slot that was proved. `modelswitch resume` goes on.",
  async run(input, context): Promise<CommandResult> {
    const { to } = input.options;
    if (typeof to === "string" && !/^[1-9]\d*$/.test(to)) {
      throw new UserError({
        code: "release-unknown",
        message: `--to ${to}: releases have numbers.`,
        hint: "`modelswitch history` lists them.",
        exitCode: exitCodes.usage,
      });
    }
    const rollout = withCapacity(await openRolloutAnywhere(context), input);
    const { goBack } = await import("../../rollout/commands/meant-by.ts");
    const result = await goBack(rollout, {
      to: typeof to === "string" ? Number(to) : undefined,
      acceptChanged: input.lists?.["accept-changed"] ?? [],
      agree: agreeToDowntime(rollout, context),
      now: input.options.now === true,
      steps: (await parsedSteps(input.options.steps))?.steps ?? [],
    });
    return result.kind === "heard"
      ? heardResult(rollout, result)
      : rolloutResult(rollout, result.end, { began: result.end.state.outcome !== "aborted" });
  },
};
