import { PulumiCommandError, type QuickPulumiCommand } from "./pulumi-command.ts";
import type { SecretsSource, StackOptions } from "./stack.ts";

/** The few CLI calls on one stack beside its operations. */
export class StackCli {
  readonly #command: QuickPulumiCommand;
  readonly #cwd: string;
  readonly #stack: string;

  constructor(command: QuickPulumiCommand, cwd: string, stack: string) {
    this.#command = command;
    this.#cwd = cwd;
    this.#stack = stack;
  }

  /** Makes the stack; one that is there already stays as it is. */
  async create(secrets: SecretsSource): Promise<void> {
    // Said also for a passphrase: with its default a cloud backend would use its own key.
    const provider = secrets.kind === "provider" ? secrets.url : "passphrase";
    try {
      const args = ["stack", "init", this.#stack, "--no-select", "--secrets-provider", provider];
      await this.#command.start(args, { cwd: this.#cwd });
    } catch (error) {
      if (!(error instanceof PulumiCommandError && /already exists/.test(error.output.stderr))) throw error;
    }
  }

  async remove(): Promise<void> {
    try {
      await this.#start(["stack", "rm", "--yes", "--preserve-config"]);
    } catch (error) {
      if (!isStackMissing(error)) throw error;
    }
  }

  /** Removes every lock of the stack. */
  async cancel(): Promise<void> {
    await this.#start(["cancel", "--yes"]);
  }

  /** The last outputs, secrets masked; `undefined` when there is no such stack. */
  async outputs(): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      return JSON.parse(await this.#start(["stack", "output", "--json"])) as Record<string, unknown>;
    } catch (error) {
      if (isStackMissing(error)) return undefined;
      throw error;
    }
  }

  /** The state as JSON, secrets encrypted unless they are to be shown. */
  async exportState({ showSecrets = false }: { readonly showSecrets?: boolean } = {}): Promise<string> {
    return await this.#start(["stack", "export", ...(showSecrets ? ["--show-secrets"] : [])]);
  }

  async importState(state: string): Promise<void> {
    await this.#start(["stack", "import"], state);
  }

  /** Reads these resources from the cluster; those that are not there leave the state. */
  async refreshOnly(urns: readonly string[]): Promise<void> {
    const targets = urns.flatMap((urn) => ["--target", urn]);
    await this.#start(["refresh", "--yes", "--skip-preview", "--suppress-outputs", ...targets]);
  }

  /** Sets the secret values that differ. They go through standard input: no process list and no file has them in clear. */
  async setSecrets(config: NonNullable<StackOptions["config"]>): Promise<void> {
    const current = JSON.parse(await this.#start(["config", "--show-secrets", "--json"])) as Record<
      string,
      { readonly value?: string; readonly secret?: boolean }
    >;
    for (const [key, { value }] of Object.entries(config)) {
      if (current[key]?.secret === true && current[key].value === value) continue;
      await this.#start(["config", "set", "--secret", key], value);
    }
  }

  async #start(args: readonly string[], input?: string): Promise<string> {
    const { stdout } = await this.#command.start([...args, "--stack", this.#stack], {
      cwd: this.#cwd,
      ...(input === undefined ? {} : { input }),
    });
    return stdout;
  }
}

export function isStackMissing(error: unknown): boolean {
  return error instanceof PulumiCommandError && /no stack named .* found/.test(error.output.stderr);
}
