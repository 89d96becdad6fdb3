import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findPrograms, isInRange, type Recipe, type ToolContext } from "../../../../src/support.ts";
import { obtainDebianBundle, systemRelease } from "./debian.ts";
import { linuxOnly } from "./linux-only.ts";
import { oldestOnPath } from "./versions.ts";

const oldest = oldestOnPath.buildah;

/**
 * Builds container images without a daemon. `folders.containers` holds `policy.json`, for `--signature-policy`. Use it with
 * `--storage-driver vfs` and `--isolation chroot`: then it needs neither a runtime, nor a file system driver, nor a network.
 */
export const buildah: Recipe = {
  name: "buildah",
  version: systemRelease,
  unsupported: linuxOnly,
  async findOnPath(context) {
    const result = await findPrograms(
      [
        {
          name: "buildah",
          versionArguments: ["--version"],
          wanted: { text: `1.x from ${oldest} on`, accepts: (answer) => isInRange(answer, `^${oldest}`) },
        },
      ],
      context,
    );
    if (!result.found) return result;
    // Distributions put it there with every buildah and podman.
    const folder = "/etc/containers";
    return (await exists(join(folder, "policy.json")))
      ? { found: true, tool: { ...result.tool, folders: { containers: folder } } }
      : { found: false, reason: `${result.tool.programs.buildah} has no ${folder}/policy.json` };
  },
  sources: [
    {
      origin: "registry",
      title: "Debian packages",
      obtain: async (folder, context, destination) =>
        obtainDebianBundle(
          {
            packages: ["buildah", "golang-github-containers-common", "golang-github-containers-image"],
            // Only wanted for isolation in a network of its own, or without root.
            without: [
              "containernetworking-plugins",
              "iptables",
              "libip6tc2",
              "libnetfilter-conntrack3",
              "libnfnetlink0",
              "libnftnl11",
              "uidmap",
              "libsubid4",
            ],
            restartThemselves: ["usr/bin/buildah"],
            versionOf: "buildah",
            programs: { buildah: "usr/bin/buildah" },
            folders: { containers: "etc/containers" },
            paths: (await hasOwnRegistries(context))
              ? {}
              : { CONTAINERS_REGISTRIES_CONF: "etc/containers/registries.conf" },
          },
          folder,
          context,
          destination,
        ),
    },
  ],
  proofs: { buildah: ["--version"] },
  alternatives:
    "Install buildah and put it on PATH. Or build the image elsewhere and push it to a registry that the cluster can reach.",
};

/** The user's or the system's mirrors and short names win over the packages' defaults. */
async function hasOwnRegistries({ env }: ToolContext): Promise<boolean> {
  const user = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config"), "containers");
  const found = await Promise.all(
    [user, "/etc/containers"].map((folder) => exists(join(folder, "registries.conf"))),
  );
  return found.includes(true);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
