import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { exitCodes, UserError } from "../../core/errors.ts";
import { isFields } from "../../core/fields.ts";
import type { ModelswitchConfig } from "../model/types.ts";
import { invalidConfig } from "../model/validate.ts";
import { withConfigFiles } from "./config-files.ts";
import { type Effective, effectiveConfig, isData } from "./effective.ts";
import { type Env, interpolate } from "./interpolate.ts";
import type { Path } from "./merge.ts";
import { type Overlay, type ProjectFile, projectOf, type Target } from "./project.ts";
import { configText, parseJson, parseYaml } from "./read-file.ts";
import { type Choice, chooseTarget } from "./select.ts";
import { type ConfigWarning, upgradeConfig } from "./version.ts";

const extensions = ["ts", "mts", "js", "mjs", "json", "yaml", "yml"] as const;

/** Names that are looked for, in this order. */
export const configFileNames = extensions.map((extension) => `modelswitch.config.${extension}`);

export interface ConfigLocation {
  /** Absolute folder to look in. */
  readonly folder: string;
  /** The file itself, relative to `folder`, when the user named one. */
  readonly configPath: string | undefined;
}

/**
 * The absolute path of the configuration file, or `undefined` when the folder has none.
 * @throws UserError `config-missing` when the file that the user named is not there, `config-ambiguous`
 */
export async function findConfigFile(location: ConfigLocation): Promise<string | undefined> {
  if (location.configPath !== undefined) return resolve(location.folder, location.configPath);
  const { readdir } = await import("node:fs/promises");
  const here = await readdir(location.folder).catch(() => [] as string[]);
  const found = configFileNames.filter((name) => here.includes(name));
  const [first] = found;
  if (first === undefined) return undefined;
  if (found.length > 1) {
    throw new UserError({
      code: "config-ambiguous",
      message: `${location.folder} has ${found.length} configuration files: ${found.join(", ")}.`,
      hint: `Keep one, or name it: --config ${first}`,
      exitCode: exitCodes.usage,
    });
  }
  return join(location.folder, first);
}

/** A configuration file that was found and read; nothing of it is chosen or merged yet. */
export interface OpenProject {
  readonly project: ProjectFile;
  readonly warnings: readonly ConfigWarning[];
  /** For `${env:NAME}` in the file. */
  readonly env: Env;
}

/** A valid configuration of one model, and where it stands. */
export interface FoundConfig {
  readonly file: string;
  readonly config: ModelswitchConfig;
  /** `undefined`: the file declares no environments. */
  readonly environment?: string | undefined;
}

export interface ReadConfig extends FoundConfig {
  readonly effective: Effective;
  readonly open: OpenProject;
}

export interface ConfigRequest extends ConfigLocation, Choice {
  /** For `${env:NAME}` in JSON and YAML. @default process.env */
  readonly env?: Env;
}

/**
 * Finds and reads the configuration file.
 * @throws UserError `config-missing`, `config-ambiguous`, `config-syntax`, `config-failed`, `config-version` (exit code 2), and
 * `config-invalid` where the file as such is wrong
 */
export async function readProject(request: ConfigRequest): Promise<OpenProject> {
  const file = await findConfigFile(request);
  if (file === undefined) {
    throw new UserError({
      code: "config-missing",
      message: `${request.folder} has no ${configFileNames[0]} (nor one of ${configFileNames.slice(1).join(", ")}).`,
      hint: `Write one with \`modelswitch init\`, or name the file with --config or its folder with -C.${withoutFile(request)}`,
      exitCode: exitCodes.usage,
    });
  }
  const env = request.env ?? process.env;
  const { value, warnings } = upgradeConfig(await evaluate(file), file);
  return { project: projectOf(withDefaultEnvironment(value, file, env), file), warnings, env };
}

/** What works for whoever names a model and has no file: what is to run stands nowhere else. */
function withoutFile({ model }: Choice): string {
  if (model === undefined) return "";
  return ` Without one ${model.from} is enough to look (status, history, report, logs), to lead traffic (rollback, switch, abort, resume and what else steers a rollout), and for reconcile and unlock; this command needs to know what is to run.`;
}

/** The environment that is taken when none is named may come from a variable, too. */
function withDefaultEnvironment(value: unknown, file: string, env: Env): unknown {
  if (!isFields(value) || typeof value.defaultEnvironment !== "string" || !isData(file)) return value;
  const { text, problems } = interpolate(value.defaultEnvironment, env);
  if (problems.length > 0)
    throw invalidConfig(problems.map((message) => ({ file, path: ["defaultEnvironment"], message })));
  return { ...value, defaultEnvironment: text };
}

/** One model in one environment, as the files say it. */
export async function readTarget(open: OpenProject, target: Target): Promise<Effective> {
  const overlay = await readOverlay(open.project, target.environment);
  return effectiveConfig(open.project, target, overlay, open.env);
}

/**
 * The configuration of a target.
 * @throws UserError `config-invalid` with every mistake of the file and of this target
 */
export async function requireValid(open: OpenProject, effective: Effective): Promise<ReadConfig> {
  const { project } = open;
  // What is wrong with other environments and models is no reason to hold this one up.
  const own = project.problems.filter(({ path }) => concerns(path, effective.target));
  const problems = [...own.map((problem) => ({ ...problem, file: project.file })), ...effective.problems];
  if (problems.length > 0) throw invalidConfig(problems);
  return {
    file: project.file,
    config: await withConfigFiles(effective.input as unknown as ModelswitchConfig, project.file),
    environment: effective.target.environment,
    effective,
    open,
  };
}

function concerns([first, second]: Path, { model, environment }: Target): boolean {
  if (second === undefined) return true;
  if (first === "models") return second === model;
  return first === "environments" ? second === environment : true;
}

/**
 * Finds, reads and validates the configuration of the model and environment that are meant.
 * @throws UserError as `readProject`, `chooseTarget` and `requireValid` (exit code 2)
 */
export async function readConfig(request: ConfigRequest): Promise<ReadConfig> {
  const open = await readProject(request);
  refuseUnusable(open);
  const target = chooseTarget(open.project, request);
  return await requireValid(open, await readTarget(open, target));
}

/** @throws UserError `config-invalid` where there is nothing to choose from */
export function refuseUnusable({ project }: OpenProject): void {
  if (project.models.size > 0) return;
  throw invalidConfig(project.problems.map((problem) => ({ ...problem, file: project.file })));
}

/**
 * What the environment's own file says, `modelswitch.config.ENVIRONMENT.yaml` beside `modelswitch.config.*`.
 * @throws UserError `config-ambiguous`, and as every file
 */
export async function readOverlay(
  project: ProjectFile,
  environment: string | undefined,
): Promise<Overlay | undefined> {
  if (environment === undefined) return undefined;
  const found = await overlayFiles(project, environment);
  const [first] = found;
  if (first === undefined) return undefined;
  if (found.length > 1) {
    throw new UserError({
      code: "config-ambiguous",
      message: `The environment ${environment} has ${found.length} files: ${found.join(", ")}.`,
      hint: "Keep one of them.",
      exitCode: exitCodes.usage,
    });
  }
  const file = join(dirname(project.file), first);
  const { value } = upgradeConfig(await evaluate(file), file);
  return { file, value };
}

async function overlayFiles(project: ProjectFile, environment: string): Promise<string[]> {
  const here = await besides(project);
  return extensions
    .map((extension) => `${stemOf(project)}.${environment}.${extension}`)
    .filter((name) => here.includes(name));
}

/** Files that look like an environment's own, where the configuration declares no such environment. */
export async function undeclaredOverlays(
  project: ProjectFile,
): Promise<readonly { readonly file: string; readonly environment: string }[]> {
  const prefix = `${stemOf(project)}.`;
  return (await besides(project)).flatMap((name) => {
    const [environment = "", extension = "", ...more] = name.slice(prefix.length).split(".");
    // Programs called `….test.ts` or `….d.ts` are something else.
    const isData = ["json", "yaml", "yml"].includes(extension);
    if (!name.startsWith(prefix) || !isData || more.length > 0 || project.environments.has(environment))
      return [];
    return [{ file: join(dirname(project.file), name), environment }];
  });
}

function stemOf(project: ProjectFile): string {
  return basename(project.file, extname(project.file));
}

async function besides(project: ProjectFile): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  return await readdir(dirname(project.file)).catch(() => [] as string[]);
}

async function evaluate(file: string): Promise<unknown> {
  const extension = extname(file);
  if ([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"].includes(extension)) {
    const text = await configText(file);
    const { evaluateModule } = await import("./evaluate.ts");
    return evaluateModule(file, text);
  }
  if (extension === ".json") return parseJson(file, await configText(file));
  if (extension === ".yaml" || extension === ".yml") return parseYaml(file, await configText(file));
  throw new UserError({
    code: "config-missing",
    message: `${file} is no configuration file: its name ends in "${extension}".`,
    hint: `Known are ${configFileNames.map((name) => extname(name)).join(", ")}.`,
    exitCode: exitCodes.usage,
  });
}

/** A path out of the configuration: relative to the file's folder, `~` is the home folder. */
export function pathFromConfig(path: string, file: string, home: string | undefined): string {
  if (path.startsWith("~/") && home !== undefined) return join(home, path.slice(2));
  return isAbsolute(path) ? path : resolve(dirname(file), path);
}
