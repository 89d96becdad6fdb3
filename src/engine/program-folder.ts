import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { parse } from "yaml";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { type Fields, isFields } from "../core/fields.ts";
import type { StackSettings } from "./workspace.ts";

/** A Pulumi program in TypeScript or JavaScript, as found in a folder. */
export interface ProgramFolder {
  readonly folder: string;
  /** Name of the project. @default the folder's name */
  readonly name: string;
  /** The file to run. */
  readonly entry: string;
  /** What of `Pulumi.yaml` the CLI is to see. */
  readonly project: Readonly<Record<string, unknown>>;
  readonly backendUrl: string | undefined;
}

/**
 * Finds the program of a folder: `main` of Pulumi.yaml, `main` of package.json, else index.ts or index.js.
 * @throws UserError `program-missing`, `program-language`, `project-invalid`
 */
export async function findProgram(folder: string): Promise<ProgramFolder> {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new UserError({
      code: "program-missing",
      message: `${folder} is no folder.`,
      hint: "Name the folder of a Pulumi program in TypeScript or JavaScript, for example examples/seed.",
      exitCode: exitCodes.usage,
    });
  }
  const yaml = (await readYaml(root, ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"])) ?? {};
  const { main, backend, runtime, stackConfigDir: _moved, ...rest } = yaml;
  checkRuntime(runtime, root);
  const name = typeof yaml.name === "string" ? yaml.name : projectName(basename(root));
  const url = isFields(backend) && typeof backend.url === "string" ? backend.url : undefined;
  return {
    folder: root,
    name,
    entry: await findEntry(root, typeof main === "string" ? main : undefined),
    project: { ...rest, ...(isFields(yaml.plugins) ? { plugins: absolutePlugins(yaml.plugins, root) } : {}) },
    backendUrl: url,
  };
}

/** The program's own `Pulumi.STACK.yaml`; nothing when there is none. */
export async function readStackSettings(folder: string, stack: string): Promise<StackSettings> {
  const name = stack.split("/").at(-1);
  return (await readYaml(folder, [`Pulumi.${name}.yaml`, `Pulumi.${name}.yml`, `Pulumi.${name}.json`])) ?? {};
}

async function readYaml(folder: string, names: readonly string[]): Promise<Fields | undefined> {
  const file = names.map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (file === undefined) return undefined;
  let value: unknown;
  try {
    value = parse(await readFile(file, "utf8"));
  } catch (error) {
    throw invalid(file, messageOf(error));
  }
  if (value === null) return {};
  if (!isFields(value)) throw invalid(file, "it is no mapping");
  return value;
}

function invalid(file: string, reason: string): UserError {
  return new UserError({
    code: "project-invalid",
    message: `${file} cannot be read: ${reason}`,
    exitCode: exitCodes.usage,
  });
}

function checkRuntime(runtime: unknown, folder: string): void {
  const name = isFields(runtime) ? runtime.name : runtime;
  if (name === undefined || name === "nodejs") return;
  throw new UserError({
    code: "program-language",
    message: `The program in ${folder} is written for the runtime "${String(name)}"; only nodejs (TypeScript and JavaScript) runs without a language host.`,
    hint: "Run it with `pulumi up`.",
    exitCode: exitCodes.usage,
  });
}

async function findEntry(folder: string, main: string | undefined): Promise<string> {
  const named = main ?? (await packageMain(folder));
  const candidates = [...(named === undefined ? [] : variants(resolve(folder, named))), ...variants(folder)];
  for (const candidate of candidates) {
    if (existsSync(candidate) && statSync(candidate).isFile()) return candidate;
  }
  throw new UserError({
    code: "program-missing",
    message:
      main === undefined
        ? `${folder} has no Pulumi program: there is no index.ts or index.js, and no package.json names another file.`
        : `Pulumi.yaml in ${folder} names the program ${main}, which is not there.`,
    exitCode: exitCodes.usage,
  });
}

const extensions = ["ts", "mts", "cts", "js", "mjs", "cjs"];

/** A path may be a file, a file without its extension, or a folder with an index. */
function variants(path: string): string[] {
  return [
    path,
    ...extensions.map((extension) => `${path}.${extension}`),
    ...extensions.map((extension) => join(path, `index.${extension}`)),
  ];
}

async function packageMain(folder: string): Promise<string | undefined> {
  const description = await readYaml(folder, ["package.json"]);
  return typeof description?.main === "string" ? description.main : undefined;
}

function projectName(folder: string): string {
  return folder.replace(/[^A-Za-z0-9_.-]/g, "-") || "program";
}

function absolutePlugins(plugins: Fields, folder: string): Fields {
  const absolute = (entry: unknown) =>
    isFields(entry) && typeof entry.path === "string" && !isAbsolute(entry.path)
      ? { ...entry, path: join(folder, entry.path) }
      : entry;
  return Object.fromEntries(
    Object.entries(plugins).map(([kind, list]) => [kind, Array.isArray(list) ? list.map(absolute) : list]),
  );
}
