import type { ShownState } from "../../rollout/commands/state.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRollout, openRolloutAnywhere } from "./rollout-context.ts";

export const stateShow: Command = {
  name: "state show",
  summary: "Show where Pulumi's state of the model is, who wrote it last, and what is at work on it",
  examples: ["modelswitch state show", "modelswitch state show --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(_input, context): Promise<CommandResult> {
    const rollout = await openRolloutAnywhere(context);
    const { showState } = await import("../../rollout/commands/state.ts");
    const shown = await showState(rollout);
    return { data: document(rollout, shown), text: describe(rollout, shown) };
  },
};

export const stateExport: Command = {
  name: "state export",
  summary: "Print Pulumi's state of the model, or write it to a file that you alone can read",
  description:
    "As `pulumi stack export` does. Its secrets are encrypted with the key in the cluster, which is not in it; with --show-secrets they are in clear, and it can be imported anywhere.",
  arguments: [{ name: "file", summary: "default: printed", required: false }],
  options: [{ name: "show-secrets", summary: "secrets in clear" }],
  examples: ["modelswitch state export state.json", "modelswitch state export --show-secrets state.json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const rollout = await openRollout(context);
    const { exportState } = await import("../../rollout/commands/state.ts");
    const showSecrets = input.options["show-secrets"] === true;
    const exported = await exportState(rollout, { showSecrets });
    const { file } = input.arguments;
    const about = aboutModel(rollout);
    if (file === undefined) {
      return {
        data: { ...about, state: JSON.parse(exported) as unknown },
        text: exported.trimEnd().split("\n"),
      };
    }
    const { resolve } = await import("node:path");
    const path = resolve(context.globals.folder, file);
    const { rm, writeFile } = await import("node:fs/promises");
    // A file that is there keeps its mode.
    await rm(path, { force: true });
    await writeFile(path, exported, { mode: 0o600 });
    return {
      data: { ...about, file: path, showSecrets },
      text: [
        `Pulumi's state of ${rollout.config.name} is in ${path}${showSecrets ? ", its secrets in clear" : ""}.`,
      ],
    };
  },
};

export const stateImport: Command = {
  name: "state import",
  summary: "Replace Pulumi's state of the model by one that was exported",
  description:
    "Asks first. Takes what `state export` or `pulumi stack export` wrote for this stack. Changes nothing else in the cluster: `plan` shows afterwards what differs.",
  arguments: [{ name: "file", summary: "what was exported", required: true }],
  examples: ["modelswitch state import state.json"],
  output: "long",
  ifInterrupted: "The state is the former one, or the one imported; `modelswitch state show` says which.",
  async run(input, context): Promise<CommandResult> {
    const rollout = await openRollout(context);
    const text = await readImport(context.globals.folder, input.arguments.file ?? "");
    const { importState } = await import("../../rollout/commands/state.ts");
    const shown = await importState(rollout, text, (question) => context.confirm(question));
    return { data: document(rollout, shown), text: ["The state is imported.", ...describe(rollout, shown)] };
  },
};

async function readImport(folder: string, file: string): Promise<string> {
  const [{ readFile }, { resolve }, { exitCodes, messageOf, UserError }] = await Promise.all([
    import("node:fs/promises"),
    import("node:path"),
    import("../../core/errors.ts"),
  ]);
  try {
    return await readFile(resolve(folder, file), "utf8");
  } catch (error) {
    throw new UserError({
      code: "state-file-invalid",
      message: `${file} cannot be read: ${messageOf(error)}`,
      hint: "Name a file that `modelswitch state export` or `pulumi stack export` wrote.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

function aboutModel({ config, namespace, kubernetesContext }: RolloutContext) {
  return { model: config.name, namespace, context: kubernetesContext };
}

function document(rollout: RolloutContext, shown: ShownState): Readonly<Record<string, unknown>> {
  const { head, resources, copy, recorded, ...rest } = shown;
  return {
    ...aboutModel(rollout),
    ...rest,
    resources: resources ?? null,
    copy: copy ?? null,
    recorded: recorded ?? null,
    operation: head === undefined ? null : { serial: head.serial, by: head.by, at: head.at, open: head.open },
    saved: head?.saved ?? null,
  };
}

function describe({ config, namespace }: RolloutContext, shown: ShownState): string[] {
  const { head, resources } = shown;
  const saved = head?.saved;
  const isNowhere = shown.place === "cluster" && head === undefined;
  return [
    `${config.name} in ${namespace}: Pulumi's state is in ${shown.where}${isNowhere ? ", once there is one" : ""}.`,
    `  stack ${shown.stack} of project ${shown.project}${resources === undefined ? "" : `, ${resources} resources`}`,
    ...(saved === undefined
      ? []
      : [
          `  operation ${saved.serial}, saved by ${saved.by} at ${saved.at}: ${kibibytes(saved.bytes)}, ${kibibytes(saved.packedBytes)} compressed, in ${saved.parts} Secret${saved.parts === 1 ? "" : "s"}`,
        ]),
    ...(head?.open === true
      ? [`  operation ${head.serial}, begun by ${head.by} at ${head.at}, has not ended`]
      : []),
    ...(shown.copy === undefined ? [] : [`  copy of this machine: ${shown.copy}`]),
  ];
}

function kibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
