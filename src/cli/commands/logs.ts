import type { LogLine, LogOptions } from "../../rollout/commands/logs.ts";
import type { Command, CommandInput, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";

const defaultLines = 100;

export const logs: Command = {
  name: "logs",
  summary: "Show the logs of a slot's pods",
  description:
    "Each line stands after the pod and container that wrote it. With --follow pods that come later are shown, too; `live` and `idle` mean the slot that is so when the command begins. With --json one document, with --follow one per line.",
  arguments: [
    {
      name: "slot",
      summary: "whose pods; default: live",
      required: false,
      choices: ["live", "idle", "blue", "green"],
    },
  ],
  options: [
    { name: "follow", short: "f", summary: "go on with what is written from now on, until interrupted" },
    { name: "since", value: "duration", summary: "only what is newer, for example 90s, 5m or 1h" },
    {
      name: "tail",
      value: "lines",
      summary: "how many lines of the end of each pod, or all",
      defaultText: `${defaultLines}; all with --since`,
    },
    { name: "previous", short: "p", summary: "of the container before it was started again" },
    {
      name: "container",
      short: "c",
      value: "name",
      summary: "which container of the pods",
      defaultText: "the model server's",
    },
    { name: "timestamps", summary: "the time before each line" },
  ],
  examples: [
    "modelswitch logs",
    "modelswitch logs idle --follow",
    "modelswitch logs green --previous --tail 20",
  ],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const options = await optionsOf(input);
    const rollout = await openRolloutAnywhere(context);
    const [{ assumeLastKnown, observeDeployed }, { liveSlot }, { otherSlot }, { readLogs }, { connect }] =
      await Promise.all([
        import("../../rollout/context/deployed.ts"),
        import("../../core/routing.ts"),
        import("../../core/slots.ts"),
        import("../../rollout/commands/logs.ts"),
        import("../../kubernetes/connect.ts"),
      ]);
    const { observation, routing } = await observeDeployed(rollout, assumeLastKnown);
    const live = liveSlot(routing);
    const { slot: named } = input.arguments;
    const slot = named === "blue" || named === "green" ? named : named === "idle" ? otherSlot(live) : live;
    const selector = observation.slots[slot].service?.selector ?? {};
    const { json } = context.globals;
    const lines: LogLine[] = [];
    const show = (line: LogLine) => {
      if (json && options.follow) context.screen.document({ ...line });
      else if (json) lines.push(line);
      else context.screen.line(`[pod/${line.pod}/${line.container}] ${line.line}`);
    };
    const streams = connect(rollout.config.kubeconfig).api;
    // Without labels this would be every pod of the namespace.
    const skipped =
      Object.keys(selector).length === 0
        ? []
        : await readLogs(rollout, streams, slot, { ...options, selector }, show);
    for (const { pod, why } of skipped) {
      context.events({ type: "warning", code: "no-log", message: `${pod}: ${why}.` });
    }
    if (observation.slots[slot].pods.length === 0) {
      context.events({ type: "info", message: `${slot} has no pods.` });
    }
    const { exitCodes } = await import("../../core/errors.ts");
    return {
      exitCode: context.signal.aborted ? exitCodes.interrupted : exitCodes.done,
      data: { model: rollout.config.name, namespace: rollout.namespace, slot, lines, skipped },
      text: [],
      isShown: options.follow,
    };
  },
};

async function optionsOf({ options }: CommandInput): Promise<Omit<LogOptions, "selector">> {
  const { exitCodes, UserError } = await import("../../core/errors.ts");
  const { parseDuration } = await import("../../core/rollout/steps.ts");
  const wrong = (name: string, takes: string) =>
    new UserError({
      code: "argument-invalid",
      message: `The option --${name} is "${options[name]}", but takes ${takes}.`,
      exitCode: exitCodes.usage,
    });
  const { since, tail, container } = options;
  const sinceMs = typeof since === "string" ? parseDuration(since) : undefined;
  if (typeof since === "string" && sinceMs === undefined)
    throw wrong("since", "a time such as 90s, 5m or 1h");
  if (typeof tail === "string" && tail !== "all" && !/^\d+$/.test(tail)) {
    throw wrong("tail", 'a number of lines, or "all"');
  }
  if (options.previous === true && options.follow === true) {
    throw new UserError({
      code: "argument-invalid",
      message: "--previous shows what has ended, so there is nothing to --follow.",
      exitCode: exitCodes.usage,
    });
  }
  const otherwise = sinceMs === undefined ? defaultLines : undefined;
  return {
    container: typeof container === "string" ? container : undefined,
    follow: options.follow === true,
    previous: options.previous === true,
    sinceSeconds: sinceMs === undefined ? undefined : Math.max(1, Math.ceil(sinceMs / 1000)),
    tailLines: typeof tail !== "string" ? otherwise : tail === "all" ? undefined : Number(tail),
    timestamps: options.timestamps === true,
  };
}
