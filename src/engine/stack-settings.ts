import { rm } from "node:fs/promises";
import type { ProviderChoice } from "./provider.ts";
import type { StackOptions } from "./stack.ts";
import { isStackMissing, type StackCli } from "./stack-cli.ts";
import {
  attachedProvider,
  type ProjectFolders,
  readSettings,
  type StackSettings,
  settingsFile,
  writeSettings,
} from "./workspace.ts";

/** What a program of the user's own says of its project and stack. */
export interface OwnSettings {
  /** Contents of the program's own `Pulumi.yaml`. */
  readonly project?: Readonly<Record<string, unknown>>;
  /** Contents of the program's own `Pulumi.STACK.yaml`. */
  readonly settings?: StackSettings;
}

/** The generated `Pulumi.yaml` and `Pulumi.STACK.yaml` of a stack. */
export class SettingsOfStack {
  readonly #options: StackOptions;
  readonly #folders: ProjectFolders;
  readonly #own: OwnSettings;

  constructor(options: StackOptions, folders: ProjectFolders, own: OwnSettings) {
    this.#options = options;
    this.#folders = folders;
    this.#own = own;
  }

  /** Without a provider the one that the project file names stays: another command may be about to use it. */
  async write(provider?: ProviderChoice): Promise<void> {
    const { project, stack, config = {}, secrets } = this.#options;
    const left = await readSettings(settingsFile(this.#folders, stack));
    const own = this.#own.settings ?? {};
    const plain = Object.entries(config).filter(([, { secret }]) => secret !== true);
    // Ciphertexts stay until `writeSecrets` has compared what they hold.
    const kept = Object.entries(left.config ?? {}).filter(([key]) => config[key]?.secret === true);
    const { config: _left, ...keys } = left;
    await writeSettings({
      folders: this.#folders,
      project: { ...this.#own.project, name: project },
      stack,
      providerFolder: provider === undefined ? await attachedProvider(this.#folders) : provider.folder,
      settings: {
        ...keys,
        ...own,
        ...(secrets.kind === "provider" && secrets.url !== "default" ? { secretsprovider: secrets.url } : {}),
        config: {
          ...own.config,
          ...Object.fromEntries(kept),
          ...Object.fromEntries(plain.map(([key, { value }]) => [key, value])),
        },
      },
    });
  }

  /** Writes the secret values of the configuration, and makes the stack where it is not there yet. */
  async writeSecrets(cli: StackCli): Promise<void> {
    const entries = Object.entries(this.#options.config ?? {}).filter(([, value]) => value.secret === true);
    if (entries.length === 0) return;
    const secrets = Object.fromEntries(entries);
    try {
      await cli.setSecrets(secrets);
    } catch (error) {
      if (!isStackMissing(error)) throw error;
      await this.create(cli);
      await cli.setSecrets(secrets);
    }
  }

  /** Makes the stack anew. Generated settings that are still there are a former one's, with the salt of its passphrase. */
  async create(cli: StackCli): Promise<void> {
    await this.remove();
    await this.write();
    await cli.create(this.#options.secrets);
  }

  async remove(): Promise<void> {
    await rm(settingsFile(this.#folders, this.#options.stack), { force: true });
  }
}
