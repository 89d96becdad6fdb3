import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { exitCodes, UserError } from "../../core/errors.ts";
import { describePath } from "../parts/problem.ts";
import { syntaxError } from "./read-file.ts";

/**
 * Runs a configuration file in TypeScript or JavaScript and returns its default export. `modelswitch` resolves to our own
 * light entry, so that the file can be read where the package is not installed, and without loading Pulumi.
 */
export async function evaluateModule(file: string, text: string): Promise<unknown> {
  const loaded = await load(file, text);
  const config =
    typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
  if (config === undefined) {
    throw new UserError({
      code: "config-invalid",
      message: `${file} has no default export.`,
      hint: 'Write `export default defineConfig({ ... })`, with `import { defineConfig } from "modelswitch"`.',
      exitCode: exitCodes.usage,
    });
  }
  if (typeof config !== "function") return withoutCycle(config, file);
  try {
    return withoutCycle(await config(), file);
  } catch (error) {
    throw explain(error, file);
  }
}

/** @throws UserError `config-invalid`: what contains itself has no end */
function withoutCycle(config: unknown, file: string): unknown {
  const path = pathToItself(config, [], []);
  if (path === undefined) return config;
  throw new UserError({
    code: "config-invalid",
    message: `${file}: ${describePath(path)}: contains itself.`,
    hint: "Write what is meant as values that end.",
    exitCode: exitCodes.usage,
  });
}

type Path = readonly (string | number)[];

function pathToItself(value: unknown, path: Path, above: readonly unknown[]): Path | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (above.includes(value)) return path;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, part] of entries) {
    const found = pathToItself(part, [...path, key], [...above, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function load(file: string, text: string): Promise<unknown> {
  try {
    return await loadNatively(file, text);
  } catch (error) {
    if (!mayLoadOtherwise(error, file)) throw explain(error, file);
  }
  try {
    return await loadTranspiled(file);
  } catch (error) {
    throw explain(error, file);
  }
}

let loads = 0;

/** Node's own type stripping: ten times faster than a transpiler. */
async function loadNatively(file: string, text: string): Promise<unknown> {
  loads += 1;
  // The query makes a changed file a new module.
  const url = `${pathToFileURL(file).href}?read=${loads}`;
  const light = new URL(import.meta.url.endsWith(".ts") ? "./light.ts" : "./light.js", import.meta.url).href;
  const isTypeScript = [".ts", ".mts"].includes(extname(file));
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "modelswitch" ? { url: light, shortCircuit: true } : next(specifier, context),
    // Named explicitly, since the folder's package.json, if there is one, need not say "type": "module".
    load: (loading, context, next) =>
      loading === url && isTypeScript
        ? { format: "module-typescript", source: text, shortCircuit: true }
        : next(loading, context),
  });
  try {
    return await import(/* @vite-ignore */ url);
  } finally {
    hooks.deregister();
  }
}

/** Whether the file may be fine for a transpiler: enums, imports without extension, CommonJS. */
function mayLoadOtherwise(error: unknown, file: string): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return (
    (error instanceof SyntaxError && placeInStack(error, file) === undefined) ||
    /^ERR_(MODULE|UNSUPPORTED|UNKNOWN|PACKAGE|REQUIRE|INVALID_TYPESCRIPT)|MODULE_NOT_FOUND/.test(code) ||
    /not defined in ES module scope|^Cannot find (module|package)|^Failed to (resolve|load)/.test(
      error.message,
    )
  );
}

async function loadTranspiled(file: string): Promise<unknown> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(file, {
    // The cache would keep a copy of the file, and of the secrets in it, elsewhere.
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { modelswitch: await import("./light.ts") },
  });
  return await jiti.import(file);
}

function explain(error: unknown, file: string): UserError {
  if (error instanceof UserError) return located(error, file);
  if (!(error instanceof Error)) return thrown(file, String(error), error);
  const parsed = parserPlace(error);
  if (parsed !== undefined) return syntaxError(parsed.where, parsed.reason, error);
  if (error instanceof SyntaxError && placeInStack(error, file) === undefined) {
    return syntaxError(file, error.message, error);
  }
  if ("code" in error && (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND")) {
    const name = /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1];
    const where = name === undefined ? file : placeOfImport(file, name);
    return new UserError({
      code: "config-failed",
      message: `${where}: it imports "${name ?? "a module"}", which cannot be found.`,
      hint: "Install it in the folder of the configuration file, or correct the import.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
  return thrown(placeInStack(error, file) ?? file, `${error.name}: ${error.message}`, error);
}

/** A refusal of one of our own functions, for example `custom({ port: 0 })`, with the place in the file before it. */
function located(error: UserError, file: string): UserError {
  return new UserError({
    code: error.code,
    message: `${placeInStack(error, file) ?? file}: ${error.message}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    exitCode: exitCodes.usage,
    cause: error,
  });
}

function thrown(where: string, what: string, cause: unknown): UserError {
  return new UserError({
    code: "config-failed",
    message: `${where}: the configuration file threw ${what}`,
    hint: "modelswitch runs the file to read it; run with --debug for the stack.",
    exitCode: exitCodes.usage,
    cause,
  });
}

/** The transpiler's message: `ParseError: reason`, then a line with `file:line:column`, the column counted from 0. */
function parserPlace(error: Error): { where: string; reason: string } | undefined {
  const match = /^(?:\w+Error: )?([^\n]*?)\s*\n\s*(\S[^\n]*?):(\d+):(\d+)\s*(\n|$)/.exec(error.message);
  if (match === null) return undefined;
  return { where: `${match[2]}:${match[3]}:${Number(match[4]) + 1}`, reason: match[1] ?? "" };
}

function placeInStack(error: Error, file: string): string | undefined {
  const line = error.stack?.split("\n").find((entry) => /^\s*at /.test(entry) && entry.includes(file));
  const place = line === undefined ? undefined : /:(\d+):(\d+)\)?$/.exec(line);
  return place === null || place === undefined ? undefined : `${file}:${place[1]}:${place[2]}`;
}

function placeOfImport(file: string, name: string): string {
  const lines = readFileSync(file, "utf8").split("\n");
  const index = lines.findIndex((line) => line.includes(`"${name}"`) || line.includes(`'${name}'`));
  return index === -1 ? file : `${file}:${index + 1}:${(lines[index] ?? "").indexOf(name)}`;
}
