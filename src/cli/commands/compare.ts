import type { GateVerdict } from "../../core/calls.ts";
import { type ExitCode, exitCodes, interrupted, isInterrupted } from "../../core/errors.ts";
import type { GateIo } from "../../gates/io.ts";
import type { AskingIo } from "../../gates/parity/ask.ts";
import type { ParitySettings } from "../../gates/parity.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { askingOf, askingOptions, numberOption, wrongOption } from "./asking-options.ts";
import { openRollout } from "./rollout-context.ts";

const defaultDeadline = "30m";

export const compare: Command = {
  name: "compare",
  summary: "Ask both slots, or two addresses, the same, and say whether they answer alike",
  description:
    "As the gate `parity` does in a release: the same inputs to both, live again where the answers differ, a verdict that may be looked at as often as one likes, and the worst pairs. Slots are asked through the ingress by the preview header. With --live and --new no cluster is needed. Exit code 0: alike, 3: not, 5: cannot be told.",
  options: [
    {
      name: "live",
      value: "url",
      summary: "address of the model as it is, for example http://127.0.0.1:8080",
    },
    { name: "new", value: "url", summary: "address of the model that may take its place" },
    ...askingOptions,
    { name: "segments", value: "path", summary: "path into the input: each value is judged by itself, too" },
    { name: "inputs", value: "count", summary: "most inputs of the file", defaultText: "10000" },
    {
      name: "tolerated",
      value: "share",
      summary: "share of answers that may be others, beside live's own noise",
      defaultText: "0.01",
    },
    { name: "alpha", value: "chance", summary: "to call equal ones different", defaultText: "0.05" },
    { name: "deadline", value: "duration", summary: "how long to ask", defaultText: defaultDeadline },
  ],
  examples: [
    "modelswitch compare",
    "modelswitch compare --cases cases.jsonl --path /v2/models/fraud/infer --compare label",
    "modelswitch compare --live http://127.0.0.1:8080 --new http://127.0.0.1:8081 --cases cases.jsonl --path /predict",
  ],
  output: "long",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const deadlineMs = await deadlineOf(input);
    const { live, new: fresh } = input.options;
    if ((live === undefined) !== (fresh === undefined)) {
      throw wrongOption(
        live === undefined ? "new" : "live",
        "needs the other address, too: --live and --new",
      );
    }
    const target =
      typeof live === "string" && typeof fresh === "string"
        ? await addresses(input, context, live, fresh)
        : await ofSlots(input, context);
    const { parityGate } = await import("../../gates/parity.ts");
    await parityGate.require?.(target.settings, target.folder);
    const asked = await target.open();
    const said = await compared(context, { ...target, ...asked }, deadlineMs);
    return {
      exitCode: exitCodeOf(said),
      data: {
        ...asked.about,
        cases: target.settings.asking.cases,
        path: target.settings.asking.path,
        verdict: said.verdict,
        evidence: said.evidence,
        evidenceData: said.data ?? null,
      },
      text: [`${titles[said.verdict]}: ${said.evidence}`, ...examplesOf(said)],
    };
  },
};

const titles: Readonly<Record<GateVerdict["verdict"], string>> = {
  pass: "Alike",
  fail: "Not alike",
  inconclusive: "Cannot be told",
  hold: "Cannot be told",
};

function exitCodeOf({ verdict }: GateVerdict): ExitCode {
  return verdict === "pass" ? exitCodes.done : verdict === "fail" ? exitCodes.gateRefused : exitCodes.held;
}

/** What is compared. */
interface Target {
  readonly settings: ParitySettings;
  readonly folder: string;
  readonly calls: AskingIo["calls"];
  readonly open: () => Promise<Opened>;
}

interface Opened {
  readonly ask: GateIo["ask"];
  /** Throws where what is asked is not what it was any more. */
  readonly stillSo: () => Promise<void>;
  readonly about: Readonly<Record<string, unknown>>;
}

async function ofSlots(input: CommandInput, context: CommandContext): Promise<Target> {
  const rollout = await openRollout(context);
  const settings = await settingsOf(input, context, rollout);
  return {
    settings,
    folder: rollout.calls.folder,
    calls: rollout.calls,
    open: async () => {
      const { askedSlots } = await import("../../rollout/commands/both-slots.ts");
      const { live, ask, endpoints, stillSo } = await askedSlots(rollout);
      const about = { model: rollout.config.name, namespace: rollout.namespace, live, endpoints };
      return { ask, stillSo, about };
    },
  };
}

async function addresses(
  input: CommandInput,
  context: CommandContext,
  live: string,
  release: string,
): Promise<Target> {
  for (const [name, url] of Object.entries({ live, new: release })) {
    if (!/^https?:\/\/[^\s/]/.test(url) || !URL.canParse(url)) {
      throw wrongOption(name, `is "${url}", but takes an address such as http://127.0.0.1:8080`);
    }
    const { username, password, host } = new URL(url);
    if (username !== "" || password !== "") {
      throw wrongOption(
        name,
        `has a password for ${host} in it, which everybody on this machine can read`,
        "Send it in a header instead, from an environment variable: --header Authorization=TOKEN.",
      );
    }
  }
  const settings = await settingsOf(input, context, undefined);
  const [{ askedAddresses }, { probe }, { lookupInTime }] = await Promise.all([
    import("../../rollout/commands/asked-addresses.ts"),
    import("../../rollout/proof/probe.ts"),
    import("../../rollout/observe/lookup.ts"),
  ]);
  const { clock } = context;
  return {
    settings,
    folder: context.globals.folder,
    calls: { folder: context.globals.folder, clock },
    open: () =>
      Promise.resolve({
        ask: askedAddresses({ live, release }, { probe, lookup: lookupInTime, clock }),
        stillSo: () => Promise.resolve(),
        about: { live, new: release },
      }),
  };
}

async function settingsOf(
  input: CommandInput,
  context: CommandContext,
  rollout: RolloutContext | undefined,
): Promise<ParitySettings> {
  const { parityDefaults } = await import("../../gates/parity.ts");
  const { defaultAlpha, pairMargins } = await import("../../core/statistics/lines.ts");
  const gates = (rollout?.config.rollout.gates ?? []).filter((gate) => gate.kind === "parity");
  const { gate: wanted, segments } = input.options;
  const base = wanted === undefined ? gates[0] : gates.find(({ name }) => name === wanted);
  if (wanted !== undefined && base === undefined) {
    const names = gates.map(({ name }) => name).join(", ");
    throw wrongOption(
      "gate",
      `is "${String(wanted)}", but the configuration has no such gate of the kind parity`,
      names === "" ? undefined : `It has ${names}.`,
    );
  }
  const share = (name: "tolerated" | "alpha", otherwise: number) => {
    const text = input.options[name];
    if (typeof text !== "string") return otherwise;
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value < 0.9 && (value > 0 || name === "tolerated")) return value;
    throw wrongOption(name, `is "${text}", but takes a share such as 0.05`);
  };
  const inputs = numberOption(input, "inputs");
  return {
    kind: "parity",
    against: "each-other",
    asking: await askingOf(input, context, base?.asking),
    segments: typeof segments === "string" ? segments : base?.segments,
    inputs: inputs === undefined ? (base?.inputs ?? parityDefaults.inputs) : Math.ceil(inputs),
    pace: numberOption(input, "pace") ?? base?.pace,
    tolerated: share("tolerated", base?.tolerated ?? pairMargins.fail),
    weight: 1,
    // Outside a release no other gate takes a part.
    alpha: share("alpha", defaultAlpha),
  };
}

async function deadlineOf({ options }: CommandInput): Promise<number> {
  const { parseDuration } = await import("../../core/rollout/steps.ts");
  const { deadline = defaultDeadline } = options;
  const ms = parseDuration(String(deadline));
  if (ms !== undefined && ms > 0) return ms;
  throw wrongOption("deadline", `is "${String(deadline)}", but takes a time such as 90s, 5m or 1h`);
}

async function compared(
  context: CommandContext,
  { settings, calls, ask, stillSo }: Target & Opened,
  deadlineMs: number,
): Promise<GateVerdict> {
  const { runParity } = await import("../../gates/run-parity.ts");
  const { step } = await import("../../core/events.ts");
  try {
    return await step(
      context.events,
      { id: "compare", title: "Ask both the same, and compare" },
      (progress) =>
        runParity({
          io: { ask, calls },
          settings,
          seed: new Date(context.clock.now()).toISOString(),
          deadlineMs,
          signal: context.signal,
          onLook: async ({ evidence }, { done, total }) => {
            progress({ detail: evidence, progress: { done, total, unit: "inputs" } });
            await stillSo();
          },
        }),
      ({ verdict, evidence }) => `${verdict}: ${evidence}`,
    );
  } catch (error) {
    throw context.signal.aborted && !isInterrupted(error) ? interrupted("The comparison") : error;
  }
}

/** The worst pairs, side by side. */
function examplesOf({ data }: GateVerdict): string[] {
  const examples = Array.isArray(data?.examples) ? data.examples : [];
  return examples
    .slice(0, 5)
    .flatMap(({ id, input, live, release }: Readonly<Record<string, string>>) => [
      "",
      `case ${id}: ${input}`,
      `  live ${live}`,
      `  new  ${release}`,
    ]);
}
