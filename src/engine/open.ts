import { checkOptions } from "./checks.ts";
import { LocalStack } from "./local-stack.ts";
import { obtainEngine } from "./session.ts";
import type { OpenStack, Stack, StackOptions } from "./stack.ts";
import type { StackInternals } from "./stack-runs.ts";
import { projectFolders } from "./workspace.ts";

/** See `OpenStack`. Opening starts nothing: the CLI is looked for at the first operation. */
export const openStack: OpenStack = (options) => openStackWith(options, {});

/** `openStack` for a program that brings its own project and stack settings. */
export async function openStackWith(options: StackOptions, internals: StackInternals): Promise<Stack> {
  checkOptions(options);
  return new LocalStack(options, internals);
}

/** Obtains beforehand what the operations of a stack will need of programs. */
export async function prepareEngine(
  options: Pick<StackOptions, "project" | "folder" | "backendUrl" | "events" | "signal"> & {
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<void> {
  await obtainEngine({ ...options, folders: projectFolders(options) });
}
