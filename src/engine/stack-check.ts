import { access, constants } from "node:fs/promises";
import { messageOf } from "../core/errors.ts";
import { passphraseWrong } from "./failures.ts";
import { opensSecrets } from "./passphrase.ts";
import type { StackOptions } from "./stack.ts";
import { isStackMissing, type StackCli } from "./stack-cli.ts";
import { parseState, readState, type State } from "./state-file.ts";
import { backendUnusable, type ProjectFolders, readSettings, settingsFile } from "./workspace.ts";

/**
 * The state as the backend has it; `undefined` where it has no such stack.
 * @throws UserError `backend-unusable`
 */
export async function findState(
  { stateFolder, backendUrl }: ProjectFolders,
  { project, stack }: Pick<StackOptions, "project" | "stack">,
  cli: StackCli,
): Promise<State | undefined> {
  if (stateFolder !== undefined) {
    try {
      await access(stateFolder, constants.R_OK | constants.W_OK | constants.X_OK);
      return await readState(stateFolder, project, stack);
    } catch (error) {
      throw backendUnusable(backendUrl, messageOf(error), error);
    }
  }
  try {
    return parseState(await cli.exportState());
  } catch (error) {
    if (isStackMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Tries the passphrase, which the CLI does too late: when it reads the state to change it.
 * @throws UserError `passphrase-wrong` (exit code 2)
 */
export async function requirePassphrase(
  folders: ProjectFolders,
  { secrets, stack }: Pick<StackOptions, "secrets" | "stack">,
  { salt }: State,
): Promise<void> {
  if (secrets.kind !== "passphrase") return;
  // The CLI goes by its settings where they hold a salt, else by the state.
  const { encryptionsalt } = await readSettings(settingsFile(folders, stack));
  const salts = new Set([salt, encryptionsalt].filter((one) => one !== undefined));
  for (const one of salts) {
    if (!(await opensSecrets(secrets.passphrase, one)))
      throw passphraseWrong({ stack, backendUrl: folders.backendUrl });
  }
}
