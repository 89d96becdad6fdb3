import { existsSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { configFileNames, readConfig } from "../../config/file/read.ts";
import type { ModelswitchConfig } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { gitignoreWith } from "./template.ts";

/** Nothing of anybody's is overwritten without a word. */
export function refuseExisting(folder: string, file: string, force: boolean): void {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UserError({
      code: "folder-missing",
      message: `The folder ${folder} does not exist.`,
      hint: "Make it, or name another with -C.",
      exitCode: exitCodes.usage,
    });
  }
  const other = configFileNames.find((name) => name !== basename(file) && existsSync(join(folder, name)));
  if (other !== undefined) {
    throw new UserError({
      code: "config-exists",
      message: `${join(folder, other)} is there already; a second configuration beside it would be ambiguous.`,
      hint: "Change that one, or remove it first.",
      exitCode: exitCodes.usage,
    });
  }
  if (existsSync(file) && !force) {
    throw new UserError({
      code: "config-exists",
      message: `${file} is there already; nothing was written.`,
      hint: "Pass --force to overwrite it.",
      exitCode: exitCodes.usage,
    });
  }
}

/** Writes the configuration, and our folder into .gitignore where it is not there yet. */
export async function writeFiles(
  folder: string,
  file: string,
  text: string,
  signal: AbortSignal,
): Promise<{ readonly gitignore: boolean; readonly config: ModelswitchConfig }> {
  const existing = await readFile(join(folder, ".gitignore"), "utf8").catch(() => undefined);
  const gitignore = gitignoreWith(existing);
  signal.throwIfAborted();
  await writeFile(file, text);
  if (gitignore !== undefined) await writeFile(join(folder, ".gitignore"), gitignore);
  // What was written must be valid: the same way of reading it as every other command.
  const { config } = await readConfig({ folder, configPath: file });
  return { gitignore: gitignore !== undefined, config };
}
