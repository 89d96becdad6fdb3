import { resolve } from "node:path";
import type { GlobalOptions, OptionSpec } from "./command.ts";

/** Options that every command takes. */
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
  { name: "json", summary: "print JSON: one document for queries, a line per event for long commands" },
  { name: "yes", short: "y", summary: "answer yes to every question" },
  { name: "debug", summary: "show stack traces" },
];

/** The global options out of the parsed values. */
export function toGlobalOptions(values: Readonly<Record<string, unknown>>, cwd: string): GlobalOptions {
  const text = (name: string) => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    folder: resolve(cwd, text("folder") ?? "."),
    configPath: text("config"),
    kubeconfigPath: text("kubeconfig"),
    context: text("context"),
    cluster: text("cluster"),
    json: values.json === true,
    debug: values.debug === true,
    yes: values.yes === true,
  };
}
