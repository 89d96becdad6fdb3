import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { buildGoProgram, type Recipe } from "../../../../src/support.ts";
import { linuxOnly } from "./linux-only.ts";
import { versions } from "./versions.ts";

const programs = ["coredns", "metrics-server", "local-path-provisioner"] as const;

/**
 * What a bare Kubernetes lacks: CoreDNS, metrics-server and a provisioner of volumes, in one binary. Its modules have the
 * versions of `go/kubernetes`, so that after a build of Kubernetes nine tenths of it are compiled already.
 */
export const addons: Recipe = {
  name: "addons",
  version: async () => versions.addons,
  unsupported: linuxOnly,
  findOnPath: async () => ({ found: false, reason: "they are modelswitch's own build" }),
  sources: [
    {
      origin: "registry",
      title: "Go modules github.com/coredns/coredns and sigs.k8s.io/metrics-server",
      async obtain(folder, context) {
        await mkdir(join(folder, "bin"));
        await buildGoProgram(
          {
            module: new URL("../../go/addons/", import.meta.url),
            target: ".",
            typical: { packages: 1440, compileSeconds: 150, linkSeconds: 8 },
          },
          join(folder, "bin", "addons"),
          context,
        );
        for (const name of programs) await symlink("addons", join(folder, "bin", name));
        return {
          version: versions.addons,
          programs: Object.fromEntries(programs.map((name) => [name, join("bin", name)])),
        };
      },
    },
  ],
  proofs: { coredns: ["-version"], "local-path-provisioner": ["--help"], "metrics-server": ["--version"] },
  alternatives:
    "Install Go from https://go.dev/dl, or start the cluster without DNS, volumes and metrics: `modelswitch cluster up --without-addons`.",
};
