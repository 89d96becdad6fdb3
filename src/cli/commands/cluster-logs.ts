import { componentNames } from "../../core/local-cluster.ts";
import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

const defaultLines = 100;

export const clusterLogs: Command = {
  name: "cluster logs",
  summary: "Show the log of a component of a local cluster",
  description:
    "These are the logs of the cluster's own programs; those of pods are shown by `modelswitch cluster kubectl -- logs`.",
  arguments: [{ name: "component", summary: "which one", required: true, choices: componentNames }],
  options: [
    clusterNameOption,
    { name: "follow", short: "f", summary: "go on with what is written from now on, until interrupted" },
    {
      name: "tail",
      value: "lines",
      summary: "how many lines of the end; all for everything since its last start",
      defaultText: String(defaultLines),
    },
  ],
  examples: [
    "modelswitch cluster logs kubelet",
    "modelswitch cluster logs kube-apiserver --tail 20 --follow",
    "modelswitch cluster logs coredns --tail all --name demo",
  ],
  output: "query",
  async run(input, context) {
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    const { localClusters } = await import("../local-clusters.ts");
    const component = input.arguments.component ?? "";
    const { follow, tail = String(defaultLines) } = input.options;
    if (tail !== "all" && !/^\d+$/.test(String(tail))) {
      throw new UserError({
        code: "argument-invalid",
        message: `The option --tail is "${tail}", which is neither a number of lines nor "all".`,
        exitCode: exitCodes.usage,
      });
    }
    if (follow === true && context.globals.json) {
      throw new UserError({
        code: "argument-invalid",
        message: "--follow has no end, so it can't be printed as one JSON document.",
        hint: "Leave out --json or --follow.",
        exitCode: exitCodes.usage,
      });
    }
    const clusters = await localClusters(context.env);
    const name = clusterName(input, context);
    const log = await clusters.log(name, component);
    if (follow !== true) {
      const { lastLinesOfFile } = await import("../../tools/log-lines.ts");
      const lines = lastLinesOfFile(log, tail === "all" ? Number.POSITIVE_INFINITY : Number(tail));
      return { data: { name, component, log, lines }, text: lines };
    }
    const { spawn } = await import("node:child_process");
    // By name: when the component is started again, its log is a new file.
    const from = tail === "all" ? "+1" : String(tail);
    await new Promise<void>((resolve, reject) => {
      const child = spawn("tail", ["-n", from, "-F", log], {
        stdio: ["ignore", "inherit", "ignore"],
        env: { ...context.env },
      });
      context.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
      child.on("error", reject);
      child.on("close", () => resolve());
    });
    return {
      exitCode: context.signal.aborted ? exitCodes.interrupted : exitCodes.done,
      data: { name, component, log },
      text: [],
    };
  },
};
