import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { runProgram } from "./run-program.ts";
import type { PathResult, ToolContext } from "./source.ts";

/** System programs live there, though a user's PATH often lacks these folders. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Absolute path of a program on PATH. */
export async function which(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly system?: boolean } = {},
): Promise<string | undefined> {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  const suffixes = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const folder of options.system === true ? [...folders, ...systemFolders] : folders) {
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix);
      const usable = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (usable) return path;
    }
  }
  return undefined;
}

export interface PathProgram {
  readonly name: string;
  /** How to ask for its version, for example `["--version"]`; absent: being there is enough. */
  readonly versionArguments?: readonly string[];
  /** What the version must be, in words and as a test of what the program answers. */
  readonly wanted?: { readonly text: string; readonly accepts: (answer: string) => boolean };
}

/**
 * Looks for all programs of a tool on PATH. They count only together, and only in the right versions: programs of
 * different versions side by side is what nobody has tested.
 */
export async function findPrograms(
  wanted: readonly PathProgram[],
  context: ToolContext,
  options: { readonly system?: boolean } = {},
): Promise<PathResult> {
  const found = await Promise.all(
    wanted.map(async (program) => ({ program, path: await which(program.name, context.env, options) })),
  );
  const missing = found.filter((one) => one.path === undefined).map((one) => one.program.name);
  if (missing.length > 0) return { found: false, reason: `${listed(missing)} not there` };
  const programs: Record<string, string> = {};
  let version: string | undefined;
  for (const { program, path } of found) {
    if (path === undefined) continue;
    programs[program.name] = path;
    if (program.versionArguments === undefined) continue;
    const answer = await versionAnswer(path, program.versionArguments, context);
    if (answer === undefined) return { found: false, reason: `${path} doesn't say its version` };
    const said = /\bv?\d+\.\d+[\w.+~:-]*/.exec(answer)?.[0] ?? answer.trim().slice(0, 60);
    if (program.wanted !== undefined && !program.wanted.accepts(answer)) {
      return { found: false, reason: `${path} is ${said}, and ${program.wanted.text} is needed` };
    }
    version ??= said;
  }
  return { found: true, tool: { version: version ?? "unknown", programs, env: {}, folders: {} } };
}

async function versionAnswer(
  path: string,
  args: readonly string[],
  { env, signal }: ToolContext,
): Promise<string | undefined> {
  try {
    const result = await runProgram(path, args, { env, signal, timeoutMs: 10_000 });
    return result.exitCode === 0 ? `${result.stdout}\n${result.stderr}` : undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

function listed(names: readonly string[]): string {
  return `${names.join(", ")} ${names.length === 1 ? "is" : "are"}`;
}
