import { resolve } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { GlobalOptions, OptionSpec } from "./command.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Options that every command takes; each is an environment variable, too. */
export const globalOptionSpecs: readonly OptionSpec[] = [
  {
    name: "folder",
    short: "C",
    value: "folder",
    summary: "folder of the configuration file; relative paths start there",
    defaultText: "the current one",
  },
  {
    name: "config",
    value: "file",
    summary: "configuration file",
    defaultText: "modelswitch.config.ts in the folder",
  },
  {
    name: "kubeconfig",
    value: "file",
    summary: "kubeconfig of the cluster",
    defaultText: "the configuration's, else KUBECONFIG, else ~/.kube/config, else the local cluster",
  },
  { name: "context", value: "name", summary: "context of the kubeconfig", defaultText: "its current one" },
  { name: "cluster", value: "name", summary: "local cluster made by `modelswitch cluster up`" },
  {
    name: "model",
    value: "name",
    summary: "model of the configuration file, where it has several; without a file, of the cluster",
    defaultText: "the only one",
  },
  {
    name: "environment",
    short: "e",
    value: "name",
    summary: "environment of the configuration file",
    defaultText: "its defaultEnvironment, else the only one",
  },
  { name: "json", summary: "print JSON: one document for queries, a line per event for long commands" },
  { name: "yes", short: "y", summary: "answer yes to every question" },
  { name: "debug", summary: "show stack traces" },
];

/** Variables that are no option. */
const otherVariables = ["PULUMI", "PROVIDER", "CACHE", "STATE"];

/** Options that choose the cluster: a variable for one of them says nothing where an option chooses another way. */
const rivals: Readonly<Record<string, readonly string[]>> = {
  kubeconfig: ["cluster"],
  context: ["cluster"],
  cluster: ["kubeconfig", "context"],
};

/** `MODELSWITCH_CONTEXT` for `context`. */
export function variableOf(option: string): string {
  return `MODELSWITCH_${option.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * The global options: the command line's, else the environment's.
 * @throws UserError `environment-variable-invalid` (exit code 2)
 */
export function toGlobalOptions(
  values: Readonly<Record<string, unknown>>,
  cwd: string,
  env: Env,
): GlobalOptions {
  const given: Record<string, string> = {};
  const text = (name: string) => {
    const value = values[name];
    if (typeof value === "string") {
      given[name] = `--${name}`;
      return value;
    }
    const set = env[variableOf(name)];
    const isOverruled = (rivals[name] ?? []).some((rival) => typeof values[rival] === "string");
    if (set === undefined || set === "" || isOverruled) return undefined;
    given[name] = variableOf(name);
    return set;
  };
  const flag = (name: string) => values[name] === true || flagIn(env, name);
  return {
    folder: resolve(cwd, text("folder") ?? "."),
    configPath: text("config"),
    kubeconfigPath: text("kubeconfig"),
    context: text("context"),
    cluster: text("cluster"),
    model: text("model"),
    environment: text("environment"),
    given,
    json: flag("json"),
    debug: flag("debug"),
    yes: flag("yes"),
  };
}

const words: Readonly<Record<string, boolean>> = {
  "1": true,
  true: true,
  yes: true,
  "": false,
  "0": false,
  false: false,
  no: false,
};

function flagIn(env: Env, option: string): boolean {
  const name = variableOf(option);
  const value = words[(env[name] ?? "").toLowerCase()];
  if (value !== undefined) return value;
  throw new UserError({
    code: "environment-variable-invalid",
    message: `${name} is ${JSON.stringify(env[name])}, but can only be 1 or 0 (also true, false, yes, no).`,
    exitCode: exitCodes.usage,
  });
}

/** Variables that were probably meant to be others, each with the other one. */
export function mistypedVariables(env: Env): { readonly name: string; readonly meant: string }[] {
  const known = [...globalOptionSpecs.map(({ name }) => variableOf(name)), ...otherVariables.map(variableOf)];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith("MODELSWITCH_") || name.startsWith("MODELSWITCH_TEST_") || known.includes(name))
      return [];
    const rest = (variable: string) => variable.slice("MODELSWITCH_".length);
    const meant = nearest(rest(name), known.map(rest));
    return meant === undefined ? [] : [{ name, meant: variableOf(meant) }];
  });
}
