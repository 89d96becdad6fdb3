import { readFile } from "node:fs/promises";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import { withConfigFiles } from "./config-files.ts";
import { jsonErrorOffset } from "./json-place.ts";
import type { ModelswitchConfig } from "./types.ts";
import { validateConfig } from "./validate.ts";

/** Names that are looked for, in this order. */
export const configFileNames = ["ts", "mts", "js", "mjs", "json", "yaml", "yml"].map(
  (extension) => `modelswitch.config.${extension}`,
);

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

export interface ReadConfig {
  readonly file: string;
  readonly config: ModelswitchConfig;
}

/**
 * Finds, loads and validates the configuration file.
 * @throws UserError `config-missing`, `config-ambiguous`, `config-syntax`, `config-failed`, `config-invalid` (exit code 2)
 */
export async function readConfig(location: ConfigLocation): Promise<ReadConfig> {
  const file = await findConfigFile(location);
  if (file === undefined) {
    throw new UserError({
      code: "config-missing",
      message: `${location.folder} has no ${configFileNames[0]} (nor one of ${configFileNames.slice(1).join(", ")}).`,
      hint: "Write one with `modelswitch init`, or name the file with --config or its folder with -C.",
      exitCode: exitCodes.usage,
    });
  }
  return { file, config: await withConfigFiles(validateConfig(await evaluate(file), file), file) };
}

async function evaluate(file: string): Promise<unknown> {
  const extension = extname(file);
  if ([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"].includes(extension)) {
    await contents(file);
    const { evaluateModule } = await import("./evaluate.ts");
    return evaluateModule(file);
  }
  if (extension === ".json") return parseJson(file, await contents(file));
  if (extension === ".yaml" || extension === ".yml") return parseYaml(file, await contents(file));
  throw new UserError({
    code: "config-missing",
    message: `${file} is no configuration file: its name ends in "${extension}".`,
    hint: `Known are ${configFileNames.map((name) => extname(name)).join(", ")}.`,
    exitCode: exitCodes.usage,
  });
}

async function contents(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new UserError({
      code: "config-missing",
      message: missing
        ? `The configuration file ${file} does not exist.`
        : `The configuration file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      hint: "Write one with `modelswitch init`, or name another with --config.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

/** A mistake that keeps the file from being read at all. */
export function syntaxError(where: string, reason: string, cause: unknown): UserError {
  return new UserError({
    code: "config-syntax",
    message: `${where}: ${reason}`,
    hint: "Correct the syntax at that place.",
    exitCode: exitCodes.usage,
    cause,
  });
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const offset = jsonErrorOffset(text);
    const lines = text.slice(0, offset).split("\n");
    const where = `${file}:${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
    // The engine's own message quotes the text around the mistake, which may be a secret.
    const found = offset >= text.length ? "the file ends" : `"${text[offset]}" stands`;
    throw syntaxError(where, `${found} where JSON expects something else`, error);
  }
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw syntaxError(`${file}:${line}:${col}`, error.message, error);
  }
  return document.toJS();
}

/** A path out of the configuration: relative to the file's folder, `~` is the home folder. */
export function pathFromConfig(path: string, file: string, home: string | undefined): string {
  if (path.startsWith("~/") && home !== undefined) return join(home, path.slice(2));
  return isAbsolute(path) ? path : resolve(dirname(file), path);
}
