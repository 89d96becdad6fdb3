import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { withoutCredentials } from "../core/urls.ts";
import { writeWhole } from "../tools/whole-file.ts";
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
  /** Folder of a Kubernetes provider that the CLI does not find by itself. A program's own choice of one wins. */
  readonly providerFolder?: string | undefined;
}): Promise<void> {
  const { folders, stack } = about;
  // State and settings are this user's: what they hold of secrets is encrypted, and still nobody else's business.
  await mkdir(folders.workFolder, { recursive: true, mode: 0o700 });
  const ignore = join(folders.workFolder, "..", "..", ".gitignore");
  if (!existsSync(ignore)) await writeFile(ignore, "*\n");
  if (folders.stateFolder !== undefined) await makeStateFolder(folders.stateFolder, folders.backendUrl);
  await writeIfDifferent(
    join(folders.workFolder, "Pulumi.yaml"),
    stringify({ runtime: "nodejs", ...withProvider(about.project, about.providerFolder) }),
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

const projectSchema = z.object({
  plugins: z
    .object({
      providers: z.array(z.looseObject({ name: z.string(), path: z.string().optional() })).optional(),
    })
    .loose()
    .optional(),
});

/** Without `version`: the CLI would compare it with what `@pulumi/kubernetes` asks for, and go and download that. */
function withProvider(
  project: Readonly<Record<string, unknown>>,
  folder: string | undefined,
): Readonly<Record<string, unknown>> {
  const { plugins } = projectSchema.safeParse(project).data ?? {};
  const providers = plugins?.providers ?? [];
  if (folder === undefined || providers.some(({ name }) => name === "kubernetes")) return project;
  return {
    ...project,
    plugins: { ...plugins, providers: [...providers, { name: "kubernetes", path: folder }] },
  };
}

/** Folder of the Kubernetes provider that the project file names. */
export async function attachedProvider({ workFolder }: ProjectFolders): Promise<string | undefined> {
  const text = await readFile(join(workFolder, "Pulumi.yaml"), "utf8").catch(() => "");
  const { plugins } = projectSchema.safeParse(parse(text)).data ?? {};
  return plugins?.providers?.find(({ name }) => name === "kubernetes")?.path;
}

async function makeStateFolder(folder: string, backendUrl: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw backendUnusable(backendUrl, messageOf(error), error);
  }
}

/** The error for a backend that is a folder which cannot be used. */
export function backendUnusable(backendUrl: string, why: string, cause: unknown): UserError {
  return new UserError({
    code: "backend-unusable",
    message: `The folder of the Pulumi backend ${backendUrl} cannot be used: ${why}`,
    hint: "Choose a folder that can be read and written, or another backend.",
    exitCode: exitCodes.usage,
    cause,
  });
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

async function writeIfDifferent(file: string, text: string): Promise<void> {
  const current = await readFile(file, "utf8").catch(() => undefined);
  if (current !== text) await writeWhole(file, text);
}
