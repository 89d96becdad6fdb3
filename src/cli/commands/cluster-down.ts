import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterDown: Command = {
  name: "cluster down",
  summary: "Stop a local cluster and remove all of it",
  description:
    "Processes, mounts, network namespaces, links, cgroups and state are removed; the cache of built components stays.",
  options: [clusterNameOption],
  examples: ["modelswitch cluster down", "modelswitch cluster down --name demo"],
  output: "long",
  ifInterrupted: "Parts of the cluster may still be there: run `modelswitch cluster down` again.",
  async run(input, context) {
    const { localClusters } = await import("../local-clusters.ts");
    const clusters = await localClusters(context.env);
    const name = clusterName(input, context);
    // Not by its status: a cluster whose record can't be read is to be removed, too.
    const existed = (await clusters.list()).includes(name);
    await clusters.down({ name, events: context.events, signal: context.signal });
    return {
      data: { name, existed },
      text: [
        existed ? `The cluster ${name} is gone.` : `There is no cluster ${name}; nothing of it is left.`,
      ],
    };
  },
};
