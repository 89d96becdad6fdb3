import type { ComponentHealth } from "../../core/local-cluster.ts";
import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterStatus: Command = {
  name: "cluster status",
  summary: "Show whether a local cluster runs, component by component",
  description: "Exit code 0 when it runs, 1 when it is absent, stopped or a component of it is.",
  options: [clusterNameOption],
  examples: ["modelswitch cluster status", "modelswitch cluster status --json"],
  output: "query",
  async run(input, context) {
    const { localClusters } = await import("../local-clusters.ts");
    const { formatTable } = await import("../output/format.ts");
    const clusters = await localClusters(context.env);
    const name = clusterName(input, context);
    const { cluster, state, components } = await clusters.status(name);
    const option = name === "default" ? "" : ` --name ${name}`;
    const text =
      cluster === undefined
        ? [`There is no cluster ${name}. Start it with \`modelswitch cluster up${option}\`.`]
        : [
            `The cluster ${name} (Kubernetes ${cluster.version}) is ${state}.`,
            ...formatTable([
              ["  kubeconfig", cluster.kubeconfigPath],
              ["  kubectl", cluster.kubectlPath],
              ["  ingress", cluster.ingressUrl],
            ]),
            ...formatTable(components.map((component) => ["  ", ...componentRow(component)])),
            ...(state === "running" ? [] : [`Repair it with \`modelswitch cluster up${option}\`.`]),
          ];
    return { exitCode: state === "running" ? 0 : 1, data: { name, state, cluster, components }, text };
  },
};

function componentRow(health: ComponentHealth): string[] {
  switch (health.state) {
    case "running":
      return [
        health.component,
        "running",
        `process ${health.pid}`,
        `${Math.round(health.residentBytes / 1e6)} MB`,
      ];
    case "stopped":
      return [health.component, "stopped", health.reason];
  }
}
