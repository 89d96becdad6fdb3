import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { exitCodes, interrupted, messageOf, UserError } from "../core/errors.ts";
import { cacheFolder } from "./cache-folder.ts";
import { checkEntry, type Manifest, publishEntry } from "./entry.ts";
import { isRunning, withLock } from "./lock.ts";
import { SharedProgress, throttled } from "./progress.ts";
import { recipes } from "./recipes/index.ts";
import { requireSuccess, runProgram } from "./run-program.ts";
import { SharedWork } from "./share.ts";
import type { Layout, Platform, Progress, Recipe, Source, ToolContext } from "./source.ts";
import type { EnsureTool, EnsureToolOptions, Tool } from "./tool.ts";

export { cacheFolder } from "./cache-folder.ts";

const sharedWork = new SharedWork<Tool>();

/** See `EnsureTool`. */
export const ensureTool: EnsureTool = (name, options) => ensureRecipe(recipes[name], options);

/** What of the world a test replaces. */
export interface EnsureSurroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: Platform;
}

/** `ensureTool` for a recipe that is passed in. */
export async function ensureRecipe(
  recipe: Recipe,
  options: EnsureToolOptions,
  surroundings: EnsureSurroundings = {},
): Promise<Tool> {
  const { env = process.env, platform = { os: process.platform, cpu: process.arch } } = surroundings;
  const cache = resolve(options.cacheFolder ?? cacheFolder(env));
  return sharedWork.run([recipe.name, recipe.variant, "in", cache].join(" "), options, (shared) =>
    obtain(recipe, {
      signal: shared.signal,
      progress: throttled(shared.progress, systemClock),
      cacheFolder: cache,
      platform,
      env,
    }),
  );
}

/** A place that was tried, and why it failed. */
interface Attempt {
  readonly place: string;
  readonly reason: string;
}

async function obtain(recipe: Recipe, context: ToolContext): Promise<Tool> {
  const { platform, signal, progress } = context;
  const unsupported = recipe.unsupported?.(platform);
  if (unsupported !== undefined)
    throw unavailable(recipe, "", [{ place: "any source", reason: unsupported }]);

  const version = await recipe.version(context);
  const folder = join(
    context.cacheFolder,
    "tools",
    recipe.name,
    `${version}-${recipe.revision ?? 1}`,
    `${platform.os}-${platform.cpu}`,
  );
  const cached = await checkEntry(folder);
  if (cached.state === "valid") {
    await removeLeftovers(folder, "of dead processes");
    return toTool(recipe, "cache", folder, cached.manifest.layout, context);
  }
  const attempts: Attempt[] = [
    { place: `cache ${folder}`, reason: cached.state === "corrupt" ? cached.reason : "not there" },
  ];
  if (cached.state === "corrupt") {
    progress({
      detail: `${recipe.name} ${version} in the cache is damaged (${cached.reason}): obtaining it again`,
    });
  }

  const onPath = await recipe.findOnPath(context);
  if (onPath.found) return { name: recipe.name, origin: "path", ...onPath.tool };
  attempts.push({ place: "PATH", reason: onPath.reason });

  const what = `${recipe.name} ${version}`;
  await makeFolder(dirname(folder));
  const lock = `${folder}.lock`;
  const shared = new SharedProgress(lock);
  return withLock(
    lock,
    {
      signal,
      what,
      onWait: ({ pid }) => {
        void shared.read().then(({ detail, ...rest }) => {
          const doing = detail === undefined ? "" : `: ${detail}`;
          if (!signal.aborted) {
            progress({ ...rest, detail: `another modelswitch (pid ${pid}) is building ${what}${doing}` });
          }
        });
      },
    },
    async () => {
      // Whoever held the lock before may have done the work.
      const now = await checkEntry(folder);
      if (now.state === "valid") return toTool(recipe, "cache", folder, now.manifest.layout, context);
      await removeLeftovers(folder, "all");
      const tell: Progress = (update) => {
        progress(update);
        shared.write(update);
      };
      try {
        return await fromSources(recipe, version, folder, { ...context, progress: tell }, attempts);
      } finally {
        await shared.remove();
      }
    },
  );
}

/** The first source that works. */
async function fromSources(
  recipe: Recipe,
  version: string,
  folder: string,
  context: ToolContext,
  attempts: Attempt[],
): Promise<Tool> {
  for (const source of recipe.sources) {
    const result = await trySource(recipe, source, folder, context);
    if ("manifest" in result) return toTool(recipe, source.origin, folder, result.manifest.layout, context);
    attempts.push(result);
  }
  throw unavailable(recipe, ` ${version}`, attempts);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError({
      code: "cache-not-writable",
      message: `The cache folder ${folder} can't be made: ${messageOf(error)}.`,
      hint: "Name another folder in the environment variable MODELSWITCH_CACHE.",
      cause: error,
    });
  }
}

async function trySource(
  recipe: Recipe,
  source: Source,
  folder: string,
  context: ToolContext,
): Promise<{ manifest: Manifest } | Attempt> {
  const staging = `${folder}.new-${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    await mkdir(staging, { recursive: true });
    context.progress({ detail: `trying ${source.title}` });
    const layout = await source.obtain(staging, context, folder);
    await prove(recipe, staging, layout, context);
    // An abort from here on is too late to matter: what is there is whole.
    if (context.signal.aborted) throw interrupted(`Obtaining ${recipe.name}`);
    return {
      manifest: await publishEntry(staging, folder, { origin: source.origin, layout }),
    };
  } catch (error) {
    if (context.signal.aborted) {
      throw interrupted(`Obtaining ${recipe.name}`, "Run the same command again: what is complete is kept.");
    }
    return { place: source.title, reason: messageOf(error) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Starts programs once. */
async function prove(recipe: Recipe, folder: string, layout: Layout, context: ToolContext): Promise<void> {
  const tool = toTool(recipe, "cache", folder, layout, context);
  for (const [name, args] of Object.entries(recipe.proofs)) {
    const path = tool.programs[name];
    if (path === undefined) throw new Error(`${name} is not among what was obtained`);
    const env = { ...context.env, ...tool.env };
    requireSuccess(await runProgram(path, args, { env, signal: context.signal, timeoutMs: 30_000 }));
  }
}

function toTool(
  recipe: Recipe,
  origin: Tool["origin"],
  folder: string,
  layout: Layout,
  context: ToolContext,
): Tool {
  const absolute = (path: string) => (isAbsolute(path) ? path : join(folder, path));
  const all = (paths: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, absolute(path)]));
  const prepended = Object.entries(layout.prepend ?? {}).map(([key, paths]) => [
    key,
    [...paths.map(absolute), ...(context.env[key] ? [context.env[key]] : [])].join(delimiter),
  ]);
  return {
    name: recipe.name,
    version: layout.version,
    origin,
    programs: all(layout.programs),
    folders: all(layout.folders),
    env: { ...all(layout.paths), ...Object.fromEntries(prepended) },
  };
}

/**
 * Removes what killed runs have begun. All of it only for the holder of the lock; what a killed run had started may go on
 * writing for a while, so that the next ones look again.
 */
async function removeLeftovers(folder: string, which: "all" | "of dead processes"): Promise<void> {
  const parent = dirname(folder);
  const start = `${basename(folder)}.new-`;
  const leftovers = (await readdir(parent)).filter((name) => name.startsWith(start));
  for (const name of leftovers) {
    if (which === "all" || !(await isRunning(Number.parseInt(name.slice(start.length), 10)))) {
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

function unavailable(recipe: Recipe, version: string, attempts: readonly Attempt[]): UserError {
  const lines = attempts.map(({ place, reason }) => `- ${place}: ${reason.replaceAll("\n", "\n    ")}`);
  return new UserError({
    code: "tool-unavailable",
    message: `${recipe.name}${version} can't be had:\n${lines.join("\n")}`,
    hint: recipe.alternatives,
    exitCode: exitCodes.failed,
    details: { tool: recipe.name, attempts },
  });
}
