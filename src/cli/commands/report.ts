import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutOutcomeRecord } from "../../rollout/record/rollouts.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";

export const report: Command = {
  name: "report",
  summary: "Show the report of a rollout: who, when, what changed, what was seen, how it ended",
  description:
    "Markdown; with --json the document that its SHA-256 is of. Each report names the digest of the one before it. The reports of the newest rollouts are kept beside the model in the cluster. Of a rollout in progress it shows what was seen so far.",
  arguments: [
    {
      name: "number",
      summary: "number of the rollout, as `history` lists them; default: the last one",
      required: false,
    },
  ],
  examples: ["modelswitch report", "modelswitch report 3 --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const { number } = input.arguments;
    if (number !== undefined && !/^[1-9]\d*$/.test(number)) {
      throw unknown(`"${number}" is no number of a rollout.`);
    }
    const rollout = await openRolloutAnywhere(context);
    const { observeDeployed } = await import("../../rollout/context/deployed.ts");
    const { record } = await observeDeployed(rollout);
    const { inProgress } = await import("../../rollout/record/in-progress.ts");
    const { reportMarkdown, progressMarkdown } = await import("../../rollout/record/report-markdown.ts");
    const current = inProgress(record);
    if (current !== undefined && (number === undefined || Number(number) === current.number)) {
      return {
        data: { ...current, ended: false },
        text: progressMarkdown(record.model, current).split("\n"),
      };
    }
    const found = chosen(record.rollouts ?? [], number);
    if (found.report === undefined) {
      throw unknown(
        `The report of rollout ${found.number} is not kept any more${found.sha256 === undefined ? "" : `; its SHA-256 was ${found.sha256}`}.`,
      );
    }
    return { data: { ...found.report }, text: reportMarkdown(found.report).trimEnd().split("\n") };
  },
};

function chosen(rollouts: readonly RolloutOutcomeRecord[], number: string | undefined): RolloutOutcomeRecord {
  const found =
    number === undefined ? rollouts.at(-1) : rollouts.find((one) => one.number === Number(number));
  if (found !== undefined) return found;
  throw unknown(
    number === undefined ? "No rollout has been made yet." : `The record knows no rollout ${number}.`,
  );
}

function unknown(message: string): UserError {
  return new UserError({
    code: "report-missing",
    message,
    hint: "`modelswitch history` lists the rollouts.",
    exitCode: exitCodes.usage,
  });
}
