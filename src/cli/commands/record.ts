import { exitCodes, interrupted, isInterrupted, UserError } from "../../core/errors.ts";
import type { GoldenRecorded } from "../../gates/record-golden.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { askingOf, askingOptions, numberOption, wrongOption } from "./asking-options.ts";
import { openRollout } from "./rollout-context.ts";

const defaultOut = "golden.jsonl";

export const record: Command = {
  name: "record",
  summary: "Make a file of cases for the gate `golden` from inputs and what the live slot answers",
  description:
    "Asks the live slot twice with each input, through the ingress. What it answers the same way both times is written as JSON Lines with `input` and `expected`; the rest is left out, and said. Fields named with --mask input.… are replaced by [masked] before live is asked, so that none of them is in the file. The file is written at the end, as a whole.",
  options: [
    {
      name: "out",
      value: "file",
      summary: "the file that is written; it must not be there yet",
      defaultText: defaultOut,
    },
    ...askingOptions,
    { name: "inputs", value: "count", summary: "only so many of the inputs, small segments first" },
    { name: "segments", value: "path", summary: "path into the input: of each value some inputs are taken" },
    { name: "force", summary: "write over a file that is there" },
  ],
  examples: ["modelswitch record --cases inputs.jsonl --path /v2/models/fraud/infer --out golden.jsonl"],
  output: "long",
  ifInterrupted: "Nothing was written.",
  async run(input, context): Promise<CommandResult> {
    const out = await outOf(input, context);
    const rollout = await openRollout(context);
    const recorded = await recording(input, context, rollout);
    const { lines, leftOut } = recorded;
    for (const { id, why } of leftOut.slice(0, 20)) {
      context.events({ type: "warning", code: "case-left-out", message: `Case ${id} is left out: ${why}.` });
    }
    if (lines.length === 0) throw nothingRecorded(recorded);
    const { rename, writeFile } = await import("node:fs/promises");
    await writeFile(`${out.path}.part`, `${lines.join("\n")}\n`, { mode: 0o600 });
    await rename(`${out.path}.part`, out.path);
    return {
      data: {
        model: rollout.config.name,
        namespace: rollout.namespace,
        file: out.name,
        recorded: lines.length,
        leftOut,
      },
      text: [
        `Wrote ${lines.length} cases to ${out.name}${leftOut.length === 0 ? "" : `; ${leftOut.length} are left out`}.`,
      ],
    };
  },
};

async function outOf({ options }: CommandInput, { globals }: CommandContext) {
  const [{ resolve }, { stat }] = await Promise.all([import("node:path"), import("node:fs/promises")]);
  const name = typeof options.out === "string" ? options.out : defaultOut;
  const path = resolve(globals.folder, name);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere && options.force !== true) {
    throw wrongOption("out", `is ${name}, which is there`, "Choose another name, or write over it: --force.");
  }
  return { name, path };
}

async function recording(
  input: CommandInput,
  context: CommandContext,
  rollout: RolloutContext,
): Promise<GoldenRecorded> {
  const gates = rollout.config.rollout.gates.filter(
    (gate) => gate.kind === "parity" || gate.kind === "golden",
  );
  const { gate: wanted, segments } = input.options;
  const base = wanted === undefined ? gates[0] : gates.find(({ name }) => name === wanted);
  if (wanted !== undefined && base === undefined) {
    throw wrongOption("gate", `is "${String(wanted)}", but no gate parity or golden has that name`);
  }
  const asking = await askingOf(input, context, base?.kind === "parity" ? base.asking : base?.golden);
  if (asking.mask.answer.length > 0) {
    throw wrongOption("mask", "hides answers, but these are what is recorded; mask fields of the input");
  }
  const [{ readCases }, { drawInputs, segmentOf }, { parityDefaults }, { requireUsable }, { recordGolden }] =
    await Promise.all([
      import("../../gates/cases/read-cases.ts"),
      import("../../gates/parity/order.ts"),
      import("../../gates/parity.ts"),
      import("../../gates/cases/require-usable.ts"),
      import("../../gates/record-golden.ts"),
    ]);
  const given = await readCases(rollout.calls.folder, asking.cases, "input");
  requireUsable(asking, given);
  const path = typeof segments === "string" ? segments : undefined;
  const inputs = numberOption(input, "inputs");
  const drawn =
    inputs === undefined
      ? given
      : drawInputs(
          given.map((one) => segmentOf(one, path)),
          { inputs: Math.ceil(inputs), seed: String(given.length), alpha: 0.05 },
        ).inputs.flatMap(({ index }) => given[index] ?? []);
  const { askedSlots } = await import("../../rollout/commands/both-slots.ts");
  const { live, ask, stillSo } = await askedSlots(rollout, { only: "live" });
  const { step } = await import("../../core/events.ts");
  try {
    return await step(
      context.events,
      { id: "record", title: `Ask ${live} what it answers` },
      (progress) =>
        recordGolden({
          io: { ask, calls: rollout.calls },
          asking,
          cases: drawn.map((one) => {
            const segment = segmentOf(one, path);
            return segment === undefined ? one : { ...one, segment };
          }),
          pace: numberOption(input, "pace") ?? parityDefaults.pace,
          signal: context.signal,
          onCase: async (done) => {
            progress({ progress: { done, total: drawn.length, unit: "inputs" } });
            if (done % 50 === 0 || done === drawn.length) await stillSo();
          },
          onPause: (why) => progress({ detail: `waits 30 s: ${why}` }),
        }),
      ({ lines, leftOut }) => `${lines.length} cases, ${leftOut.length} left out`,
    );
  } catch (error) {
    throw context.signal.aborted && !isInterrupted(error) ? interrupted("The recording") : error;
  }
}

function nothingRecorded({ leftOut }: GoldenRecorded): UserError {
  return new UserError({
    code: "nothing-recorded",
    message: `No case could be recorded: ${leftOut[0]?.why ?? "there is no input"}.`,
    hint: "Look at the inputs, --path and --protocol.",
    exitCode: exitCodes.failed,
    details: { leftOut: leftOut.slice(0, 20) },
  });
}
