import { UserError } from "../../core/errors.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRollout } from "./rollout-context.ts";

export const destroy: Command = {
  name: "destroy",
  summary: "Delete the model: both slots, the routing and the rollout record",
  description:
    "Deletes everything that `up` made, also while it carries traffic; asks first. The namespace stays.",
  options: [
    {
      name: "remove-stack",
      summary: "remove the Pulumi stack too, with its history and settings; in the cluster it always goes",
    },
  ],
  examples: ["modelswitch destroy", "modelswitch destroy --yes --remove-stack"],
  output: "long",
  ifInterrupted:
    "Part of the model may be deleted; `modelswitch destroy` deletes the rest, `modelswitch up` makes it whole.",
  async run(input, context): Promise<CommandResult> {
    const rollout = await openRollout(context);
    const { destroyModel, describeLoss } = await import("../../rollout/commands/destroy.ts");
    const loss = await describeLoss(rollout);
    for (const message of loss.lines) context.events({ type: "info", message });
    if (!(await context.confirm(`${loss.question} Continue?`))) {
      throw new UserError({ code: "declined", message: "Nothing was deleted, since the answer was no." });
    }
    const removeStack = input.options["remove-stack"] === true;
    const result = await destroyModel(rollout, { removeStack });
    const { name } = rollout.config;
    return {
      data: {
        model: name,
        namespace: rollout.namespace,
        context: rollout.kubernetesContext,
        changes: result.changes,
        recordDeleted: result.recordDeleted,
        stackRemoved: removeStack || result.stateRemoved,
      },
      text: [
        result.changes.length === 0 && !result.recordDeleted
          ? `Nothing of ${name} was left in ${rollout.namespace}.`
          : `${name} is gone from ${rollout.namespace}: ${result.changes.length} resources and the rollout record.`,
      ],
    };
  },
};
