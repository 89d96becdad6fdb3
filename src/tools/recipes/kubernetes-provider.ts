import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildGoProgram } from "../go-build.ts";
import type { Recipe } from "../source.ts";
import { versions } from "../versions.ts";
import { executable } from "./platform-names.ts";

const version = versions.kubernetesProvider;
const program = "pulumi-resource-kubernetes";

/**
 * Pulumi's official Kubernetes provider, from the newest of its Go modules. Installed plug-ins and the download are the Pulumi
 * CLI's own business: this is for where neither is to be had.
 */
export const kubernetesProvider: Recipe = {
  name: "kubernetes-provider",
  version: async () => version,
  findOnPath: async () => ({ found: false, reason: `${program} is looked for by the Pulumi CLI` }),
  sources: [
    {
      origin: "registry",
      title: "Go module github.com/pulumi/pulumi-kubernetes/provider/v4",
      async obtain(folder, context) {
        const path = join("bin", executable(program, context.platform));
        await mkdir(join(folder, "bin"));
        await buildGoProgram(
          {
            module: new URL("../../../go/kubernetes-provider/", import.meta.url),
            target: ".",
            variables: {
              "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version": version.slice(1),
            },
            typical: { packages: 1748, compileSeconds: 390, linkSeconds: 20 },
          },
          join(folder, path),
          context,
        );
        return { version, programs: { [program]: path } };
      },
    },
  ],
  proofs: { [program]: ["-h"] },
  alternatives:
    "Install it with `pulumi plugin install resource kubernetes`, or install Go (https://go.dev/dl), and run the same command again.",
};
