import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterKubectl: Command = {
  name: "cluster kubectl",
  summary: "Run the kubectl of a local cluster, connected to it",
  arguments: [{ name: "words", summary: "arguments of kubectl", required: false, variadic: true }],
  options: [clusterNameOption],
  examples: [
    "modelswitch cluster kubectl -- get pods -A",
    "modelswitch cluster kubectl --name demo -- logs -f deployment/fraud-blue",
  ],
  output: "query",
  async run(input, context) {
    const { spawn } = await import("node:child_process");
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    const { localClusters } = await import("../local-clusters.ts");
    const name = clusterName(input, context);
    const { cluster } = await (await localClusters(context.env)).status(name);
    if (cluster === undefined) {
      throw new UserError({
        code: "cluster-absent",
        message: `There is no local cluster "${name}".`,
        hint: "`modelswitch cluster list` shows those there are, `modelswitch cluster up` starts one.",
        exitCode: exitCodes.usage,
      });
    }
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(cluster.kubectlPath, input.rest ?? [], {
        stdio: "inherit",
        env: { ...context.env, KUBECONFIG: cluster.kubeconfigPath },
      });
      // The terminal sends Ctrl-C to kubectl too; other signals are passed on.
      context.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
      child.on("error", reject);
      child.on("close", (exitCode) => resolve(exitCode ?? exitCodes.interrupted));
    });
    // What kubectl printed is the output; there is nothing to add.
    if (context.signal.aborted) return { exitCode: exitCodes.interrupted, data: {}, text: [] };
    return {
      exitCode: code === 0 ? exitCodes.done : exitCodes.failed,
      data: { kubectlExitCode: code },
      text: [],
    };
  },
};
