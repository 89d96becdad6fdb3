import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterLoadImage: Command = {
  name: "cluster load-image",
  summary: "Bring container images from an OCI archive into a local cluster",
  description:
    "The archive is what `buildah push IMAGE oci-archive:FILE`, `docker save` or `skopeo copy` write; no registry is needed.",
  arguments: [{ name: "archive", summary: "path of the archive", required: true }],
  options: [clusterNameOption],
  examples: ["modelswitch cluster load-image fraud.tar --name demo"],
  output: "long",
  ifInterrupted: "The image may be there in part; run the command again.",
  async run(input, context) {
    const { resolve } = await import("node:path");
    const { existsSync } = await import("node:fs");
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    const { step } = await import("../../core/events.ts");
    const { localClusters } = await import("../local-clusters.ts");
    const archive = resolve(context.globals.folder, input.arguments.archive ?? "");
    if (!existsSync(archive)) {
      throw new UserError({
        code: "archive-missing",
        message: `The archive ${archive} does not exist.`,
        hint: "Write one with `buildah push IMAGE oci-archive:FILE` or `docker save -o FILE IMAGE`.",
        exitCode: exitCodes.usage,
      });
    }
    const name = clusterName(input, context);
    const clusters = await localClusters(context.env);
    const images = await step(
      context.events,
      { id: "load-image", title: `Import ${archive}` },
      () => clusters.loadImage(name, archive, context.signal),
      (names) => names.join(", "),
    );
    return { data: { name, images }, text: images.map((image) => `${image} is in the cluster ${name}.`) };
  },
};
