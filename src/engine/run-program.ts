import type { EventSink } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { openStackWith } from "./open.ts";
import { findProgram, readStackSettings } from "./program-folder.ts";
import { automationOf, loadedProgram } from "./program-loader.ts";
import type { OperationResult, SecretsSource, Stack } from "./stack.ts";

export interface ProgramStackOptions {
  /** Folder of any Pulumi program in TypeScript or JavaScript. */
  readonly folder: string;
  /** @default dev */
  readonly stack?: string;
  /** Configuration of this run on top of `Pulumi.STACK.yaml`; keys without a namespace are the project's. */
  readonly config?: Readonly<Record<string, string>>;
  /** @default the environment's cluster */
  readonly kubeconfig?: KubeconfigSource;
  /** Gets the secrets provider that `Pulumi.STACK.yaml` names, and the backend. */
  readonly secrets:
    | SecretsSource
    | ((about: {
        readonly provider: string | undefined;
        readonly backendUrl: string | undefined;
      }) => Promise<SecretsSource>);
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The stack of a Pulumi program that is run without a language host. The program finds its folder as the working folder,
 * as under `pulumi up`. The backend is PULUMI_BACKEND_URL, `backend.url` of Pulumi.yaml, or `.modelswitch/state` beside it.
 */
export async function openProgramStack(options: ProgramStackOptions): Promise<Stack> {
  const { stack = "dev", config = {}, kubeconfig = {}, events, signal, env = process.env } = options;
  const program = await findProgram(options.folder);
  const settings = await readStackSettings(program.folder, stack);
  const backendUrl = env.PULUMI_BACKEND_URL || program.backendUrl;
  const secrets =
    typeof options.secrets === "function"
      ? await options.secrets({ provider: settings.secretsprovider, backendUrl })
      : options.secrets;
  const opened = await openStackWith(
    {
      project: program.name,
      stack,
      folder: program.folder,
      ...(backendUrl === undefined ? {} : { backendUrl }),
      secrets,
      program: loadedProgram(program.entry, program.folder),
      config: Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
          key.includes(":") ? key : `${program.name}:${key}`,
          { value },
        ]),
      ),
      kubeconfig,
      events,
      signal,
      env,
    },
    {
      project: program.project,
      settings,
      automation: () => automationOf(program.entry),
      endsHopelessWaits: true,
    },
  );
  return inFolder(opened, program.folder);
}

/** Operations with the program's folder as the working folder. */
function inFolder(stack: Stack, folder: string): Stack {
  const run = async (work: () => Promise<OperationResult>): Promise<OperationResult> => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      return await work();
    } finally {
      process.chdir(before);
    }
  };
  return {
    preview: () => run(() => stack.preview()),
    up: () => run(() => stack.up()),
    refresh: () => run(() => stack.refresh()),
    destroy: (options) => run(() => stack.destroy(options)),
    resources: () => stack.resources(),
    check: () => stack.check(),
    takeIn: (taken) => stack.takeIn(taken),
    recover: () => stack.recover(),
    exportState: (options) => stack.exportState(options),
    importState: (exported) => stack.importState(exported),
    removeState: () => stack.removeState(),
    outputs: () => stack.outputs(),
  };
}
