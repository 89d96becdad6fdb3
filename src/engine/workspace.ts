import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { withoutCredentials } from "./failures.ts";
import { fileBackend } from "./file-backend.ts";

/** Contents of a `Pulumi.STACK.yaml`. */
export interface StackSettings {
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly encryptionsalt?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly [other: string]: unknown;
}

/** The folders and files that one project has on this machine. */
export interface ProjectFolders {
  /** Holds `Pulumi.yaml` and `Pulumi.STACK.yaml`, written by us: the CLI's working folder. */
  readonly workFolder: string;
  readonly backendUrl: string;
  /** Folder of the state when the backend is a folder of this machine. */
  readonly stateFolder: string | undefined;
}

/** Folder for everything that belongs to one user's machine: state, generated settings. */
const privateFolder = ".modelswitch";

export function projectFolders(about: {
  readonly folder: string;
  readonly project: string;
  readonly backendUrl?: string | undefined;
}): ProjectFolders {
  const own = join(resolve(about.folder), privateFolder);
  const usual = { folder: join(own, "state"), url: pathToFileURL(join(own, "state")).href };
  const written = about.backendUrl;
  const file = written === undefined ? usual : fileBackend(written, about.folder);
  const backendUrl = file?.url ?? written ?? usual.url;
  // A stack of the same name in another backend is another stack: its settings hold another salt.
  const suffix =
    written === undefined || backendUrl === usual.url ? "" : `@${fingerprint(withoutCredentials(written))}`;
  return {
    workFolder: join(own, "pulumi", `${about.project}${suffix}`),
    backendUrl,
    stateFolder: file?.folder,
  };
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/**
 * Folder of the CLI's plug-ins and logins: the user's, so that a login to a backend and installed plug-ins serve here too;
 * on a machine without one it is in our cache, and the home folder stays clean.
 */
export function pulumiHome(env: Readonly<Record<string, string | undefined>>, cacheFolder: string): string {
  if (env.PULUMI_HOME !== undefined && env.PULUMI_HOME !== "") return resolve(env.PULUMI_HOME);
  const usual = join(env.HOME || homedir(), ".pulumi");
  return existsSync(usual) ? usual : join(cacheFolder, "pulumi-home");
}

/** Makes the folders, and writes the project's and the stack's settings where they differ from what is there. */
export async function writeSettings(about: {
  readonly folders: ProjectFolders;
  readonly project: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly stack: string;
  readonly settings: StackSettings;
}): Promise<void> {
  const { folders, stack } = about;
  // State and settings are this user's: what they hold of secrets is encrypted, and still nobody else's business.
  await mkdir(folders.workFolder, { recursive: true, mode: 0o700 });
  const ignore = join(folders.workFolder, "..", "..", ".gitignore");
  if (!existsSync(ignore)) await writeFile(ignore, "*\n");
  if (folders.stateFolder !== undefined) await makeStateFolder(folders.stateFolder, folders.backendUrl);
  await writeIfDifferent(
    join(folders.workFolder, "Pulumi.yaml"),
    stringify({ runtime: "nodejs", ...about.project }),
  );
  const { config, ...rest } = about.settings;
  const settings = {
    ...rest,
    ...(config === undefined || Object.keys(config).length === 0 ? {} : { config }),
  };
  const file = settingsFile(folders, stack);
  if (Object.keys(settings).length > 0) await writeIfDifferent(file, stringify(settings));
  else await rm(file, { force: true });
}

async function makeStateFolder(folder: string, backendUrl: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError({
      code: "backend-unusable",
      message: `The folder of the Pulumi backend ${backendUrl} cannot be made: ${messageOf(error)}`,
      hint: "Choose a folder that can be written, or another backend.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

export function settingsFile(folders: ProjectFolders, stack: string): string {
  return join(folders.workFolder, `Pulumi.${stack.split("/").at(-1)}.yaml`);
}

/** The stack's settings as the CLI last left them: they hold the salt, or the wrapped key, of its secrets. */
export async function readSettings(file: string): Promise<StackSettings> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const value: unknown = parse(text);
  return typeof value === "object" && value !== null ? (value as StackSettings) : {};
}

/** Through a file beside it: a kill never leaves half a file. */
async function writeIfDifferent(file: string, text: string): Promise<void> {
  const current = await readFile(file, "utf8").catch(() => undefined);
  if (current === text) return;
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, text, { mode: 0o600 });
  await rename(fresh, file);
}
