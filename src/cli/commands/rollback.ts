import { exitCodes, UserError } from "../../core/errors.ts";
import type { Command, CommandResult } from "../command.ts";
import { capacityOption, withCapacity } from "./capacity-option.ts";
import { agreeToDowntime } from "./downtime.ts";
import { openRollout } from "./rollout-context.ts";
import { rolloutResult } from "./rollout-end.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "Go back to an earlier release",
  description:
    "While the old slot is warm this is one shift of traffic, proved at the ingress; fewer replicas than usual are accepted then, and said. An older release is put into the idle slot again first. For a rollout that is still in progress there is `abort`.",
  options: [
    { name: "to", value: "number", summary: "release to go back to; default: the one that was live before" },
    {
      name: "accept-changed",
      value: "kind/name",
      summary:
        "start its pods although secret/NAME or configmap/NAME is another version than it had; it is recorded",
      repeatable: true,
    },
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
    const rollout = withCapacity(await openRollout(context), input);
    const { rollback: start } = await import("../../rollout/release/start.ts");
    const back = typeof to === "string" ? Number(to) : undefined;
    const agree = agreeToDowntime(rollout, context);
    const end = await start(rollout, back, input.lists?.["accept-changed"], { agree });
    return rolloutResult(rollout, end, { began: true });
  },
};
