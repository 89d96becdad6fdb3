import type { ResolvedConfig } from "../../config/model/types.ts";
import { formatDuration } from "../../core/duration.ts";
import { type ExitCode, exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { CommandContext, CommandInput, CommandResult, OptionSpec } from "../command.ts";
import type { Loadable, Loadables } from "../load-config.ts";
import { reportOf } from "../output/error.ts";

/** What commands on one model work with: its configuration, its cluster, and the command's own means. */
export async function openRollout(context: CommandContext): Promise<RolloutContext> {
  const { loadConfig } = await import("../load-config.ts");
  return await rolloutOf(context, await loadConfig(context.globals, context.env, context.events));
}

/**
 * As `openRollout`, for commands that lead traffic back or look: where there is no configuration file, what the cluster remembers of the
 * model that `--model` names is enough.
 */
export async function openRolloutAnywhere(context: CommandContext): Promise<RolloutContext> {
  try {
    return await openRollout(context);
  } catch (error) {
    return await rolloutOf(context, await rememberedConfig(context, error));
  }
}

/** What the cluster remembers, where it was only the file that was missing; else throws what went wrong. */
async function rememberedConfig(context: CommandContext, error: unknown): Promise<ResolvedConfig> {
  if (!(error instanceof UserError && error.code === "config-missing")) throw error;
  const { configFromCluster } = await import("../config-of-record.ts");
  const config = await configFromCluster(context);
  if (config === undefined) throw error;
  return config;
}

async function rolloutOf(context: CommandContext, config: ResolvedConfig): Promise<RolloutContext> {
  const { rolloutContext } = await import("../../rollout/context/context.ts");
  return await rolloutContext({
    config,
    clock: context.clock,
    events: context.events,
    signal: context.signal,
    env: context.env,
    askSecret: (question, ifNoTerminal) => context.askSecret(question, ifNoTerminal),
  });
}

/** For queries that make sense for several models at once. */
export const allOption: OptionSpec = {
  name: "all",
  summary: "all models in all environments of the configuration file",
};

/** What a query found of one model, or why it found nothing. */
export type Found<T> =
  | { readonly model: string; readonly environment: string | undefined; readonly value: T }
  | {
      readonly model: string;
      readonly environment: string | undefined;
      readonly error: ReturnType<typeof reportOf>;
    };

export interface SeveralOptions<T> {
  /** How many at once. */
  readonly atOnce: number;
  readonly query: (loadable: Loadable) => Promise<T>;
  /** Whether what the cluster remembers of a model is enough, where there is no configuration file. @default false */
  readonly anywhere?: boolean;
  /** The answer where one model is meant. */
  readonly one: (value: T) => CommandResult;
  /** The document of one entry of the list. */
  readonly entry: (value: T) => Readonly<Record<string, unknown>>;
  /** Lines for people where several are meant. */
  readonly several: (found: readonly Found<T>[]) => readonly string[];
}

/** A query that needs the model's cluster. */
export function ofCluster<T>(
  context: CommandContext,
  query: (rollout: RolloutContext) => Promise<T>,
): (loadable: Loadable) => Promise<T> {
  const shared = { ...context, events: saidOnce(context.events) };
  return async ({ load }) => await query(await rolloutOf(shared, await load()));
}

/** What is to be said of the cluster that several models are in is said once. */
function saidOnce(events: CommandContext["events"]): CommandContext["events"] {
  const said = new Set<string>();
  return (event) => {
    const text = JSON.stringify(event);
    if (!said.has(text)) events(event);
    said.add(text);
  };
}

/**
 * Asks about the model that is meant, or about all of them: every model of the environment where none is named, with `--all` in
 * every environment. What is wrong with one of them does not stop the others.
 */
export async function queryModels<T>(
  input: CommandInput,
  context: CommandContext,
  options: SeveralOptions<T>,
): Promise<CommandResult> {
  const { signal } = context;
  const { several, targets } = await targetsOf(input, context, options.anywhere === true);
  const [first] = targets;
  if (!several && first !== undefined) {
    return options.one(await options.query(first));
  }
  const found: Found<T>[] = [];
  const waiting = [...targets.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, loadable] = next;
      const { target } = loadable;
      signal.throwIfAborted();
      try {
        const value = await options.query(loadable);
        found[index] = { ...target, value };
      } catch (error) {
        if (signal.aborted) throw error;
        found[index] = { ...target, error: reportOf(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, work));
  return {
    exitCode: commonExitCode(found),
    data: {
      models: found.map((entry) => ({
        model: entry.model,
        ...(entry.environment === undefined ? {} : { environment: entry.environment }),
        ...("value" in entry ? options.entry(entry.value) : { error: shown(entry.error) }),
      })),
    },
    text: options.several(found),
  };
}

async function targetsOf(
  input: CommandInput,
  context: CommandContext,
  anywhere: boolean,
): Promise<Loadables> {
  const { loadTargets } = await import("../load-config.ts");
  const { globals, env, events } = context;
  const all = input.options.all === true;
  try {
    return await loadTargets(globals, env, all, events);
  } catch (error) {
    // Which others there are only the file knows.
    if (!anywhere || all) throw error;
    const config = await rememberedConfig(context, error);
    const target = { model: config.name, environment: config.environment };
    return {
      several: false,
      targets: [{ target, read: () => Promise.reject(error), load: async () => config }],
    };
  }
}

function shown({ code, message, hint, exitCode }: ReturnType<typeof reportOf>) {
  return { code, message, hint, exitCode };
}

/** That of the errors where all have the same one. */
function commonExitCode(found: readonly Found<unknown>[]): ExitCode {
  const codes = new Set(found.flatMap((entry) => ("error" in entry ? [entry.error.exitCode] : [])));
  const [only, ...others] = codes;
  return others.length > 0 ? exitCodes.failed : (only ?? exitCodes.done);
}

/** `fraud in production`. */
export function titleOf({ model, environment }: Pick<Found<unknown>, "model" | "environment">): string {
  return environment === undefined ? model : `${model} in ${environment}`;
}

/** What went wrong with some of several, with what to do about it. */
export function errorTexts(found: readonly Found<unknown>[]): string[] {
  return found.flatMap((entry) =>
    "error" in entry
      ? [
          "",
          `${titleOf(entry)}: ${entry.error.message}`,
          ...(entry.error.hint === undefined ? [] : [`  ${entry.error.hint}`]),
        ]
      : [],
  );
}

/** What a command that is suggested next needs to be about the same model: the choice that the user typed, with a space before it. */
export function choiceOf({ globals }: Pick<CommandContext, "globals">): string {
  return (["model", "environment"] as const)
    .filter((option) => globals.given?.[option] === `--${option}`)
    .map((option) => ` --${option} ${globals[option] ?? ""}`)
    .join("");
}

/** Milliseconds for people, also where few of them matter: `850 ms`, `1.4 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : formatDuration(ms);
}
