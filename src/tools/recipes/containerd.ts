import { access } from "node:fs/promises";
import { obtainDebianBundle, systemRelease } from "../debian.ts";
import { findPrograms } from "../find-on-path.ts";
import { isAtLeast } from "../semver.ts";
import type { Recipe } from "../source.ts";
import { oldestOnPath } from "../versions.ts";
import { linuxOnly } from "./linux-only.ts";

const iptablesNames = [
  "iptables",
  "iptables-save",
  "iptables-restore",
  "ip6tables",
  "ip6tables-save",
  "ip6tables-restore",
];

/** Where distributions and the upstream releases put CNI plug-ins. */
const cniFolders = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

/** What a node runs containers and their network with: containerd, runc, CNI plug-ins, iptables, nftables, conntrack, ip. */
export const containerd: Recipe = {
  name: "containerd",
  version: systemRelease,
  unsupported: linuxOnly,
  async findOnPath(context) {
    const oldest = oldestOnPath.containerd;
    const result = await findPrograms(
      [
        {
          name: "containerd",
          versionArguments: ["--version"],
          wanted: { text: `1.x from ${oldest} on`, accepts: (answer) => isAtLeast(answer, oldest) },
        },
        ...["containerd-shim-runc-v2", "ctr", "runc", ...iptablesNames, "nft", "conntrack", "ip"].map(
          (name) => ({
            name,
          }),
        ),
      ],
      context,
      { system: true },
    );
    if (!result.found) return result;
    for (const folder of cniFolders) {
      const complete = await Promise.all(
        ["bridge", "host-local", "portmap", "loopback"].map((plugin) => access(`${folder}/${plugin}`)),
      ).then(
        () => true,
        () => false,
      );
      if (complete) return { found: true, tool: { ...result.tool, folders: { cni: folder } } };
    }
    return { found: false, reason: `the CNI plug-ins are in none of ${cniFolders.join(", ")}` };
  },
  sources: [
    {
      origin: "registry",
      title: "Debian packages",
      obtain: (folder, context, destination) =>
        obtainDebianBundle(
          {
            packages: [
              "containerd",
              "runc",
              "containernetworking-plugins",
              "iptables",
              "nftables",
              "conntrack",
              // The system's own is used where it has one.
              "iproute2",
            ],
            versionOf: "containerd",
            programs: {
              containerd: "usr/bin/containerd",
              "containerd-shim-runc-v2": "usr/bin/containerd-shim-runc-v2",
              ctr: "usr/bin/ctr",
              runc: "usr/sbin/runc",
              // One binary that looks at the name it is started under; the system's links are made at installation.
              ...Object.fromEntries(iptablesNames.map((name) => [name, "usr/sbin/xtables-nft-multi"])),
              nft: "usr/sbin/nft",
              conntrack: "usr/sbin/conntrack",
              ip: "usr/bin/ip",
            },
            folders: { cni: "usr/lib/cni" },
            paths: { XTABLES_LIBDIR: "usr/lib/*/xtables" },
          },
          folder,
          context,
          destination,
        ),
    },
  ],
  proofs: {
    containerd: ["--version"],
    ctr: ["--version"],
    runc: ["--version"],
    iptables: ["--version"],
    nft: ["--version"],
    conntrack: ["--version"],
    ip: ["-Version"],
  },
  alternatives:
    "Use a cluster that is there already: pass --context or --kubeconfig. Or install containerd, runc, the CNI plug-ins, iptables, nftables, conntrack and iproute2.",
};
