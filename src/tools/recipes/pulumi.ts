import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { unpack } from "../archive.ts";
import { downloadVerified } from "../download.ts";
import { findPrograms } from "../find-on-path.ts";
import { buildGoProgram } from "../go-build.ts";
import type { Layout, Platform, Recipe, Source } from "../source.ts";
import { isInRange } from "../version-range.ts";
import { oldestOnPath, versions } from "../versions.ts";
import { executable, goSystem } from "./platform-names.ts";

const version = versions.pulumi;
const oldest = oldestOnPath.pulumi;

/** The official Pulumi CLI. The folders given hold the archive and the list of checksums. */
export function pulumiFrom(releaseFolders: readonly string[]): Recipe {
  return {
    name: "pulumi",
    version: async () => version,
    findOnPath: (context) =>
      findPrograms(
        [
          {
            name: "pulumi",
            versionArguments: ["version"],
            wanted: { text: `3.x from ${oldest} on`, accepts: (answer) => isInRange(answer, `^${oldest}`) },
          },
        ],
        // Else it asks the network for a newer version first.
        { ...context, env: { ...context.env, PULUMI_SKIP_UPDATE_CHECK: "true" } },
      ),
    sources: [
      ...releaseFolders.map(
        (from): Source => ({
          origin: "release",
          title: `official release at ${new URL(from).host}`,
          async obtain(folder, context) {
            const { os, cpu } = context.platform;
            const ending = os === "win32" ? "zip" : "tar.gz";
            const file = `pulumi-${version}-${goSystem(context.platform)}-${cpu}.${ending}`;
            const target = join(folder, file);
            const checksumUrl = `${from}/pulumi-${version.slice(1)}-checksums.txt`;
            await downloadVerified([{ url: `${from}/${file}`, checksumUrl, target }], context);
            // The Windows archive has one more folder inside.
            await unpack(target, join(folder, "bin"), context, { withoutLeading: os === "win32" ? 2 : 1 });
            return layout(context.platform);
          },
        }),
      ),
      {
        origin: "registry",
        title: "Go module github.com/pulumi/pulumi/pkg/v3",
        async obtain(folder, context) {
          await mkdir(join(folder, "bin"));
          await buildGoProgram(
            {
              module: new URL("../../../go/pulumi/", import.meta.url),
              target: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
              variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": version },
              typical: { packages: 1685, compileSeconds: 320, linkSeconds: 15 },
            },
            join(folder, "bin", executable("pulumi", context.platform)),
            context,
          );
          return layout(context.platform);
        },
      },
    ],
    proofs: { pulumi: ["version"] },
    alternatives:
      "Install the Pulumi CLI (https://www.pulumi.com/docs/install) and put it on PATH, or install Go (https://go.dev/dl), and run the same command again.",
  };
}

function layout(platform: Platform): Layout {
  return { version, programs: { pulumi: join("bin", executable("pulumi", platform)) } };
}

export const pulumi = pulumiFrom([
  "https://get.pulumi.com/releases/sdk",
  `https://github.com/pulumi/pulumi/releases/download/${version}`,
]);
