import { readFile } from "node:fs/promises";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { passphraseMissing } from "./failures.ts";
import type { SecretsSource } from "./stack.ts";

/** Asks the user for a secret without echo; throws the error given where there is no terminal. */
export type AskSecret = (question: string, ifNoTerminal: () => Error) => Promise<string>;

/**
 * How the secrets in the state are encrypted: a provider when one is named, else the passphrase from
 * PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE or the user (an empty passphrase is one). Pulumi's own service
 * encrypts by itself: there a passphrase is used only when it is set.
 * @throws UserError `passphrase-missing`, `passphrase-file-unreadable` (exit code 2)
 */
export async function secretsFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  ask: AskSecret,
  about: { readonly provider?: string | undefined; readonly backendUrl?: string | undefined } = {},
): Promise<SecretsSource> {
  const { provider } = about;
  if (provider !== undefined && provider !== "" && provider !== "passphrase" && provider !== "default") {
    return { kind: "provider", url: provider };
  }
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) {
    return { kind: "passphrase", passphrase: env.PULUMI_CONFIG_PASSPHRASE };
  }
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (file !== undefined && file !== "")
    return { kind: "passphrase", passphrase: await readPassphrase(file) };
  const isService = /^https?:/.test(about.backendUrl ?? "");
  if (isService && provider !== "passphrase") return { kind: "provider", url: "default" };
  return {
    kind: "passphrase",
    passphrase: await ask("Passphrase of the secrets in the Pulumi state", passphraseMissing),
  };
}

async function readPassphrase(file: string): Promise<string> {
  try {
    // The CLI trims the file in the same way.
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new UserError({
      code: "passphrase-file-unreadable",
      message: `PULUMI_CONFIG_PASSPHRASE_FILE names ${file}, which cannot be read: ${messageOf(error)}`,
      hint: "Name a readable file, or set PULUMI_CONFIG_PASSPHRASE.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}
