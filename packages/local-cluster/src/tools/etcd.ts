import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  buildGoProgram,
  downloadVerified,
  executable,
  findPrograms,
  goArchitecture,
  goSystem,
  isInRange,
  type Layout,
  type Platform,
  type Recipe,
  unpack,
} from "../../../../src/support.ts";
import { versions } from "./versions.ts";

const version = versions.etcd;

/** The store of the local cluster's API server. */
export function etcdFrom(releaseUrl: string): Recipe {
  return {
    name: "etcd",
    version: async () => version,
    findOnPath: (context) =>
      findPrograms(
        [
          {
            name: "etcd",
            versionArguments: ["--version"],
            wanted: {
              text: `${version} or a later patch of it`,
              accepts: (answer) => isInRange(answer, `~${version}`),
            },
          },
        ],
        context,
      ),
    sources: [
      {
        origin: "release",
        title: `official release at ${new URL(releaseUrl).host}`,
        async obtain(folder, context) {
          const { platform } = context;
          const from = `${releaseUrl}/etcd-io/etcd/releases/download/${version}`;
          const name = `etcd-${version}-${goSystem(platform)}-${goArchitecture(platform)}`;
          const file = `${name}${platform.os === "linux" ? ".tar.gz" : ".zip"}`;
          const target = join(folder, file);
          await downloadVerified(
            [{ url: `${from}/${file}`, checksumUrl: `${from}/SHA256SUMS`, target }],
            context,
          );
          await unpack(target, join(folder, "bin"), context, {
            withoutLeading: 1,
            members: [`${name}/${executable("etcd", platform)}`],
          });
          return layout(platform);
        },
      },
      {
        origin: "registry",
        title: "Go module go.etcd.io/etcd/server/v3",
        async obtain(folder, context) {
          await mkdir(join(folder, "bin"));
          await buildGoProgram(
            {
              module: new URL("../../go/etcd/", import.meta.url),
              target: "go.etcd.io/etcd/server/v3",
              typical: { packages: 565, compileSeconds: 60, linkSeconds: 5 },
            },
            join(folder, "bin", executable("etcd", context.platform)),
            context,
          );
          return layout(context.platform);
        },
      },
    ],
    proofs: { etcd: ["--version"] },
    alternatives:
      "Use a cluster that is there already: pass --context or --kubeconfig. Or install etcd 3.7 or Go (https://go.dev/dl).",
  };
}

function layout(platform: Platform): Layout {
  return { version, programs: { etcd: join("bin", executable("etcd", platform)) } };
}

export const etcd = etcdFrom("https://github.com");
