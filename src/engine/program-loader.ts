import { createRequire, registerHooks } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Automation from "@pulumi/pulumi/automation/index.js";
import { createJiti } from "jiti";
import { deferLoading } from "./deferred-modules.ts";
import type { Program } from "./stack.ts";

/** Packages that a program without its own node_modules gets from us. */
const provided = ["@pulumi/pulumi", "@pulumi/kubernetes"];

/**
 * A program that is evaluated afresh at each call: its resources register while its modules are evaluated. What it exports
 * are the stack's outputs; when it exports a function, what that returns. `folder` holds all of its own modules.
 */
export function loadedProgram(entry: string, folder: string): Program {
  return async () => {
    const jiti = createJiti(entry, {
      moduleCache: false,
      fsCache: false,
      interopDefault: false,
      sourceMaps: true,
      alias: aliases(entry),
    });
    const restore = forgetModules(folder);
    try {
      return await outputsOf(await jiti.import(entry));
    } finally {
      restore();
    }
  };
}

let evaluations = 0;

/**
 * JavaScript files of the program are evaluated by Node itself, which keeps every module; a second operation would then
 * register nothing. So CommonJS modules are dropped from its cache, and the others get a new address each time.
 */
function forgetModules(folder: string): () => void {
  const require = createRequire(import.meta.url);
  const isOwn = (file: string) => file.startsWith(folder + sep) && !file.includes(`${sep}node_modules${sep}`);
  for (const file of Object.keys(require.cache)) if (isOwn(file)) delete require.cache[file];
  evaluations++;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const result = next(specifier, context);
      const isModule = result.url.startsWith("file:") && context.conditions.includes("import");
      if (!isModule || !isOwn(fileURLToPath(result.url))) return result;
      const url = new URL(result.url);
      url.searchParams.set("evaluation", String(evaluations));
      return { ...result, url: url.href };
    },
  });
  return () => hooks.deregister();
}

/** The Automation API of the `@pulumi/pulumi` that the program imports: the two share the runtime's state. */
export async function automationOf(entry: string): Promise<typeof Automation> {
  const theirs = resolveFrom(entry, "@pulumi/pulumi/automation/index.js");
  deferLoading(theirs === undefined ? import.meta.url : entry);
  if (theirs === undefined) return await import("@pulumi/pulumi/automation/index.js");
  return createRequire(entry)(theirs) as typeof Automation;
}

function aliases(entry: string): Record<string, string> {
  const ours = createRequire(import.meta.url);
  const missing = provided.filter((name) => resolveFrom(entry, `${name}/package.json`) === undefined);
  const packages = missing.map((name) => [name, dirname(ours.resolve(`${name}/package.json`))]);
  if (resolveFrom(entry, "modelswitch") === undefined) {
    // Sources in a checkout, compiled files in the package.
    const index = `index${extname(fileURLToPath(import.meta.url))}`;
    packages.push(["modelswitch", join(import.meta.dirname, "..", index)]);
  }
  return Object.fromEntries(packages);
}

function resolveFrom(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name);
  } catch {
    return undefined;
  }
}

async function outputsOf(exported: unknown): Promise<Record<string, unknown> | undefined> {
  if (typeof exported === "function") return asOutputs(await exported());
  if (typeof exported !== "object" || exported === null) return undefined;
  const { default: main, ...named } = exported as Record<string, unknown>;
  const value: unknown = typeof main === "function" ? await main() : await main;
  return { ...withoutMarks(named), ...asOutputs(value) };
}

function asOutputs(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null
    ? withoutMarks(value as Record<string, unknown>)
    : undefined;
}

/** What module systems add to what a module exports. */
const marks = new Set(["default", "__esModule", "module.exports"]);

function withoutMarks(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !marks.has(name)));
}
