import type { Command } from "../command.ts";
import { clusterName, clusterNameOption } from "./cluster-options.ts";

export const clusterBuildImage: Command = {
  name: "cluster build-image",
  summary: "Build an image of a Containerfile and bring it into a local cluster",
  description:
    "It needs no Docker and no registry: the image is built with buildah, which is obtained where it is missing. The same inputs are built once.",
  arguments: [
    {
      name: "context",
      summary: "folder that the Containerfile may copy from; the current one by default",
      required: false,
    },
  ],
  options: [
    clusterNameOption,
    {
      name: "tag",
      short: "t",
      value: "image",
      summary: "name of the image, for example fraud:1.5; required",
    },
    {
      name: "file",
      short: "f",
      value: "path",
      summary: "the Containerfile",
      defaultText: "Containerfile, else Dockerfile, in that folder",
    },
    { name: "build-arg", value: "name=value", summary: "value of an ARG", repeatable: true },
  ],
  examples: [
    "modelswitch cluster build-image --tag fraud:1.5",
    "modelswitch cluster build-image server --file server/Containerfile.cpu --tag fraud:1.5 --build-arg PYTHON=3.12",
  ],
  output: "long",
  ifInterrupted: "Steps of the Containerfile that had ended are kept. Run the command again.",
  async run(input, context) {
    const { join, resolve } = await import("node:path");
    const { existsSync } = await import("node:fs");
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    const { step } = await import("../../core/events.ts");
    const { localClusters } = await import("../local-clusters.ts");
    const usage = (code: string, message: string, hint?: string) =>
      new UserError({ code, message, exitCode: exitCodes.usage, ...(hint === undefined ? {} : { hint }) });

    const { tag, file } = input.options;
    if (typeof tag !== "string") {
      throw usage(
        "argument-missing",
        "The option --tag is missing.",
        "Name the image, for example --tag fraud:1.5.",
      );
    }
    const folder = resolve(context.globals.folder, input.arguments.context ?? ".");
    if (!existsSync(folder)) throw usage("folder-missing", `The folder ${folder} does not exist.`);
    const candidates =
      typeof file === "string"
        ? [resolve(context.globals.folder, file)]
        : [join(folder, "Containerfile"), join(folder, "Dockerfile")];
    const containerfile = candidates.find((path) => existsSync(path));
    if (containerfile === undefined) {
      throw usage(
        "containerfile-missing",
        `There is no ${candidates.join(" and no ")}.`,
        "Name the file with --file, or its folder as the argument.",
      );
    }
    const buildArguments = Object.fromEntries(
      (input.lists?.["build-arg"] ?? []).map((text) => {
        const at = text.indexOf("=");
        if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
        throw usage("argument-invalid", `--build-arg ${text}: it is written NAME=VALUE.`);
      }),
    );
    const name = clusterName(input, context);
    const clusters = await localClusters(context.env);
    // Before minutes of building.
    if ((await clusters.status(name)).cluster === undefined) {
      throw usage(
        "cluster-absent",
        `There is no local cluster "${name}".`,
        "`modelswitch cluster list` shows those there are, `modelswitch cluster up` starts one.",
      );
    }
    const built = await clusters.buildImage({
      containerfile,
      contextFolder: folder,
      tag,
      buildArguments,
      events: context.events,
      signal: context.signal,
    });
    const images = await step(
      context.events,
      { id: "load-image", title: `Bring it into the cluster ${name}` },
      () => clusters.loadImage(name, built.archivePath, context.signal),
      (names) => names.join(", "),
    );
    return {
      data: { name, images, digest: built.digest, cached: built.cached, standIns: built.standIns },
      text: [
        `${tag} is in the cluster ${name}.`,
        ...Object.entries(built.standIns).map(
          ([base, release]) => `It stands on a stand-in for ${base}, made of Debian ${release} packages.`,
        ),
        ...(built.name.endsWith(":latest")
          ? ["Pods look for :latest in its registry unless they have imagePullPolicy: IfNotPresent."]
          : []),
      ],
    };
  },
};
