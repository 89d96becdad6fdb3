import { imageStores } from "../../core/local-cluster.ts";
import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterLoadImage: Command = {
  name: "cluster load-image",
  summary: "Bring a container image into a local cluster, from an archive or from docker, podman or buildah",
  description:
    "Given the path of a file, it is what `docker save`, `podman save`, `buildah push IMAGE oci-archive:FILE` or `skopeo copy` write. Given the name of an image, the first of docker, podman and buildah that has it is used. No registry is needed.",
  arguments: [{ name: "image", summary: "path of an archive, or name of an image", required: true }],
  options: [
    clusterNameOption,
    { name: "from", value: "program", summary: "the program that has the image", choices: imageStores },
  ],
  examples: [
    "modelswitch cluster load-image fraud.tar",
    "modelswitch cluster load-image fraud:1.5 --name demo",
    "modelswitch cluster load-image localhost/fraud:1.5 --from podman",
  ],
  output: "long",
  ifInterrupted: "The image may be there in part; run the command again.",
  async run(input, context) {
    const { resolve } = await import("node:path");
    const { existsSync } = await import("node:fs");
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    const { step } = await import("../../core/events.ts");
    const { localClusters } = await import("../local-clusters.ts");
    const what = input.arguments.image ?? "";
    const from = imageStores.find((store) => store === input.options.from);
    const archive = resolve(context.globals.folder, what);
    const name = clusterName(input, context);
    const clusters = await localClusters(context.env);
    if (from === undefined && existsSync(archive)) {
      const images = await step(
        context.events,
        { id: "load-image", title: `Import ${archive}` },
        () => clusters.loadImage(name, archive, context.signal),
        (names) => names.join(", "),
      );
      return { data: { name, images }, text: there(name, images) };
    }
    if (from === undefined && looksLikePath(what)) {
      throw new UserError({
        code: "archive-missing",
        message: `The archive ${archive} does not exist.`,
        hint: "Write one with `buildah push IMAGE oci-archive:FILE` or `docker save -o FILE IMAGE`; or give the name of an image.",
        exitCode: exitCodes.usage,
      });
    }
    const loaded = await step(
      context.events,
      { id: "load-image", title: `Load ${what}` },
      () =>
        clusters.loadImageFrom(name, {
          image: what,
          signal: context.signal,
          ...(from === undefined ? {} : { from }),
        }),
      (found) => `${found.images.join(", ")} from ${found.from}`,
    );
    return {
      data: { name, images: loaded.images, from: loaded.from },
      text: there(name, loaded.images),
    };
  },
};

const there = (name: string, images: readonly string[]): string[] =>
  images.map((image) => `${image} is in the cluster ${name}.`);

/** Names of images have neither of these. */
const looksLikePath = (text: string): boolean => /^[./~]|\.(tar|tgz|tar\.\w+)$/.test(text);
