import type { KubeconfigSource } from "../../kubernetes/connect.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";

type Operation = "up" | "preview" | "destroy" | "refresh";

export const run: Command = {
  name: "run",
  summary: "Run a Pulumi program in TypeScript, also where Pulumi's language host is missing",
  description:
    "The folder holds a Pulumi.yaml and a program that creates resources at its top level or in an exported function. Configuration is read from Pulumi.STACK.yaml as under `pulumi up`. It ends as soon as a Deployment, StatefulSet, DaemonSet, Job or Pod can't become ready any more, and says why; what an Ingress or a Service lacks is said while it is waited for.",
  arguments: [{ name: "folder", summary: "folder of the program", required: true }],
  options: [
    { name: "stack", value: "name", summary: "name of the stack", defaultText: "dev" },
    {
      name: "config",
      value: "key=value",
      summary: "configuration on top of Pulumi.STACK.yaml, for this run",
      repeatable: true,
    },
    { name: "preview", summary: "show what would change, and change nothing" },
    { name: "destroy", summary: "delete all resources of the stack" },
    { name: "remove", summary: "with --destroy: delete the stack itself too" },
    { name: "refresh", summary: "bring the state in line with what is there, and change nothing else" },
  ],
  examples: [
    "modelswitch run examples/seed",
    "modelswitch run examples/seed --config live=green --preview",
    "modelswitch run examples/seed --destroy --remove --yes",
  ],
  output: "long",
  ifInterrupted:
    "Changes that were already made stay and are in the state; run the same command again to go on, or with --preview to see what is left.",
  async run(input, context) {
    const operation = operationOf(input, await usageErrors());
    const folder = input.arguments.folder ?? ".";
    const { resolve } = await import("node:path");
    const { openProgramStack } = await import("../../engine/run-program.ts");
    const { secretsFromEnvironment } = await import("../../engine/secrets.ts");
    const stackName = typeof input.options.stack === "string" ? input.options.stack : "dev";
    if (operation === "destroy")
      await confirmed(context, `Delete all resources of the stack ${stackName} of ${folder}?`);
    const stack = await openProgramStack({
      folder: resolve(context.globals.folder, folder),
      stack: stackName,
      config: await configPairs(input.lists?.config ?? []),
      kubeconfig: await clusterIfAny(context),
      secrets: (about) => secretsFromEnvironment(context.env, context.askSecret, about),
      events: context.events,
      signal: context.signal,
      env: context.env,
    });
    const result =
      operation === "destroy"
        ? await stack.destroy({ remove: input.options.remove === true })
        : await stack[operation]();
    const { operationText } = await import("../output/changes.ts");
    return {
      data: { operation, stack: stackName, ...result },
      text: operationText(result, { planned: operation === "preview", outputs: operation !== "destroy" }),
    };
  },
};

async function usageErrors() {
  const { exitCodes, UserError } = await import("../../core/errors.ts");
  return (code: string, message: string, hint: string) =>
    new UserError({ code, message, hint, exitCode: exitCodes.usage });
}

type MakeError = Awaited<ReturnType<typeof usageErrors>>;

function operationOf(input: CommandInput, usageError: MakeError): Operation {
  const wanted = (["preview", "destroy", "refresh"] as const).filter((name) => input.options[name] === true);
  if (wanted.length > 1) {
    throw usageError(
      "argument-conflict",
      `${wanted.map((name) => `--${name}`).join(" and ")} can't be combined.`,
      "Run them one after the other.",
    );
  }
  const [operation = "up"] = wanted;
  if (input.options.remove === true && operation !== "destroy") {
    throw usageError(
      "argument-conflict",
      "--remove deletes the stack after --destroy, which is not given.",
      "Add --destroy.",
    );
  }
  return operation;
}

async function configPairs(pairs: readonly string[]): Promise<Record<string, string>> {
  const usageError = await usageErrors();
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      // The value may be a secret: only the key is shown.
      if (at < 1) {
        throw usageError(
          "argument-invalid",
          `--config takes key=value, but "${at === 0 ? "=…" : pair}" ${at === 0 ? "has no key" : "has no value"}.`,
          "For example --config live=green",
        );
      }
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function confirmed(context: CommandContext, question: string): Promise<void> {
  if (await context.confirm(question)) return;
  const { UserError } = await import("../../core/errors.ts");
  throw new UserError({ code: "declined", message: "Nothing was changed, since the answer was no." });
}

/** Programs may name their cluster themselves; without one the choice is left to them. */
async function clusterIfAny(context: CommandContext): Promise<KubeconfigSource> {
  const { resolveKubeconfig } = await import("../kubeconfig.ts");
  const { UserError } = await import("../../core/errors.ts");
  try {
    // Its providers may name contexts of the kubeconfig.
    return await resolveKubeconfig(context.globals, context.env, {}, { keep: "all" });
  } catch (error) {
    if (error instanceof UserError && error.code === "cluster-not-chosen") return {};
    throw error;
  }
}
