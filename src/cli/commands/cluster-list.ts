import type { Command } from "../command.ts";

export const clusterList: Command = {
  name: "cluster list",
  summary: "List the local clusters of this machine",
  examples: ["modelswitch cluster list"],
  output: "query",
  async run(_input, context) {
    const { localClusters } = await import("../local-clusters.ts");
    const { UserError } = await import("../../core/errors.ts");
    const { formatTable } = await import("../output/format.ts");
    const clusters = await localClusters(context.env);
    const all = await Promise.all(
      (await clusters.list()).map(async (name) => ({
        name,
        ...(await clusters.status(name).catch((error: unknown) => {
          // Its record can't be read: that must not hide the others.
          if (!(error instanceof UserError) || error.code !== "cluster-record-invalid") throw error;
          return { state: "degraded" as const, cluster: undefined };
        })),
      })),
    );
    return {
      data: { clusters: all.map(({ name, state, cluster }) => ({ name, state, cluster })) },
      text:
        all.length === 0
          ? ["There are no local clusters. `modelswitch cluster up` starts one."]
          : formatTable(
              all.map(({ name, state, cluster }) => [
                name,
                state,
                cluster?.version ?? "",
                cluster?.ingressUrl ?? "",
              ]),
            ),
    };
  },
};
