import { defaultClusterName } from "../../core/local-cluster.ts";
import type { CommandContext, CommandInput, OptionSpec } from "../command.ts";

/** `--name` of the cluster commands; the global `--cluster` says the same. */
export const clusterNameOption: OptionSpec = {
  name: "name",
  value: "name",
  summary: "name of the local cluster; several run side by side",
  defaultText: defaultClusterName,
};

export function clusterName(input: CommandInput, context: CommandContext): string {
  const { name } = input.options;
  return typeof name === "string" ? name : (context.globals.cluster ?? defaultClusterName);
}
