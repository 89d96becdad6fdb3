import { slots } from "../../core/slots.ts";
import type { RolloutRecord } from "../../rollout/record/record.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";

export const history: Command = {
  name: "history",
  summary: "List the releases of the model, and how each rollout ended",
  examples: ["modelswitch history", "modelswitch history --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(_input, context): Promise<CommandResult> {
    const rollout = await openRolloutAnywhere(context);
    const { recordOf } = await import("../../rollout/context/deployed.ts");
    const { withoutReport } = await import("../../rollout/record/rollouts.ts");
    const record = await recordOf(rollout);
    return {
      data: {
        model: record.model,
        namespace: rollout.namespace,
        context: rollout.kubernetesContext,
        releases: record.releases,
        slots: record.slots,
        rollouts: (record.rollouts ?? []).map(withoutReport),
        switches: record.history,
      },
      text: describe(record),
    };
  },
};

function describe(record: RolloutRecord): string[] {
  const where = (number: number) => slots.filter((slot) => record.slots[slot] === number).join(", ");
  return [
    ...record.releases.map(({ number, spec, createdAt, by }) => {
      const slot = where(number);
      return `release ${number}  ${spec.image ?? "(your own pods)"}  ${createdAt} by ${by}${slot === "" ? "" : `  in ${slot}`}`;
    }),
    ...(record.rollouts ?? []).map(
      ({ number, endedAt, kind, release, target, outcome, reason, by }) =>
        `${endedAt}  rollout ${number}: ${kind} of release ${release} into ${target}: ${outcome}${reason === undefined ? "" : ` (${reason})`}, by ${by}`,
    ),
    ...record.history.map(({ at, from, to, by }) => `${at}  switch from ${from} to ${to}, by ${by}`),
  ];
}
