import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { RolloutReport } from "../../rollout/record/rollout-report.ts";
import type { RolloutOutcomeRecord, RolloutRecordEntry } from "../../rollout/record/rollouts.ts";
import type { ArgumentSpec, Command, CommandContext, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";

/** Which report. */
export const rolloutNumber: ArgumentSpec = {
  name: "number",
  summary: "number of the rollout, as `history` lists them; default: the last one",
  required: false,
};

export const report: Command = {
  name: "report",
  summary: "Show the report of a rollout: who, when, what changed, what was seen, how it ended",
  description:
    "Markdown, or one HTML file that needs nothing else; with --json the document that its SHA-256 is of. Each report names the digest of the one before it. The reports of the newest rollouts are kept beside the model in the cluster. Of a rollout in progress it shows what was seen so far.",
  arguments: [rolloutNumber],
  options: [
    {
      name: "format",
      value: "format",
      summary: "what is printed",
      choices: ["markdown", "html"],
      defaultText: "markdown",
    },
    { name: "html", value: "file", summary: "write it as one HTML file, which you alone can read" },
  ],
  examples: ["modelswitch report", "modelswitch report 3 --json", "modelswitch report 3 --html report.html"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const asked = input.options.format;
    const { html } = input.options;
    if (asked !== undefined && context.globals.json) {
      throw usage("--format and --json both say what is printed; name one of them.");
    }
    const { found, model } = await findReport(context, input.arguments.number);
    const page = async () => {
      const { progressPage, reportPage } = await import("../../rollout/report/page.ts");
      return found.kind === "ended" ? reportPage(found.report) : progressPage(model, found.entry);
    };
    const data = found.kind === "ended" ? { ...found.report } : { ...found.entry, ended: false };
    if (typeof html === "string") {
      const file = await writeText(context, html, await page());
      return { data, text: [`The report is in ${file}.`] };
    }
    if (asked === "html") return { data, text: (await page()).trimEnd().split("\n") };
    const { progressMarkdown, reportMarkdown } = await import("../../rollout/report/markdown.ts");
    const text = found.kind === "ended" ? reportMarkdown(found.report) : progressMarkdown(model, found.entry);
    return { data, text: text.trimEnd().split("\n") };
  },
};

/** A report that is over, or what is known of the rollout in progress. */
export interface FoundReport {
  readonly model: string;
  readonly namespace: string;
  readonly rollouts: readonly RolloutOutcomeRecord[];
  readonly found:
    | { readonly kind: "ended"; readonly report: RolloutReport }
    | { readonly kind: "in-progress"; readonly entry: RolloutRecordEntry };
}

/** @throws UserError `report-missing` */
export async function findReport(context: CommandContext, number: string | undefined): Promise<FoundReport> {
  if (number !== undefined && !/^[1-9]\d*$/.test(number)) {
    throw unknown(`"${number}" is no number of a rollout.`);
  }
  const { model, namespace, rollouts, current } = await openRecord(context);
  const about = { model, namespace, rollouts };
  if (current !== undefined && (number === undefined || Number(number) === current.number)) {
    return { ...about, found: { kind: "in-progress", entry: current } };
  }
  const chosenOne = chosen(rollouts, number);
  if (chosenOne.report === undefined) {
    throw unknown(
      `The report of rollout ${chosenOne.number} is not kept any more${chosenOne.sha256 === undefined ? "" : `; its SHA-256 was ${chosenOne.sha256}`}.`,
    );
  }
  return { ...about, found: { kind: "ended", report: chosenOne.report } };
}

/** What the cluster remembers of the model's rollouts. */
export async function openRecord(context: CommandContext) {
  const rollout = await openRolloutAnywhere(context);
  const { recordOf } = await import("../../rollout/context/deployed.ts");
  const { inProgress } = await import("../../rollout/record/in-progress.ts");
  const record = await recordOf(rollout);
  return {
    model: record.model,
    namespace: rollout.namespace,
    rollouts: record.rollouts ?? [],
    current: inProgress(record),
  };
}

/**
 * Writes a file that this user alone may read. Returns its path.
 * @throws UserError `report-file-invalid`
 */
export async function writeText({ globals }: CommandContext, file: string, text: string): Promise<string> {
  const { resolve } = await import("node:path");
  const { writeWhole } = await import("../../tools/whole-file.ts");
  const path = resolve(globals.folder, file);
  try {
    await writeWhole(path, text);
    return path;
  } catch (error) {
    throw new UserError({
      code: "report-file-invalid",
      message: `${path} cannot be written: ${messageOf(error)}`,
      hint: "Name a file in a folder that is there and that you may write to.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

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

function usage(message: string): UserError {
  return new UserError({ code: "argument-invalid", message, exitCode: exitCodes.usage });
}
