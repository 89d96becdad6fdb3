import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  buildGoProgram,
  downloadVerified,
  findPrograms,
  type GoBuild,
  goArchitecture,
  isInRange,
  type Layout,
  type Recipe,
  type ToolContext,
  unpack,
} from "../../../../src/support.ts";
import { type DebianBundle, obtainDebianBundle, requireDebian, systemRelease } from "./debian.ts";
import { linuxOnly } from "./linux-only.ts";
import { oldestOnPath, versions } from "./versions.ts";

const version = versions.containerd;

/** containerd's own programs, with what compiling each of them takes after the ones before. */
const own = {
  containerd: { packages: 1000, compileSeconds: 90, linkSeconds: 5 },
  "containerd-shim-runc-v2": { packages: 400, compileSeconds: 5, linkSeconds: 2 },
  ctr: { packages: 700, compileSeconds: 15, linkSeconds: 3 },
} as const satisfies Readonly<Record<string, GoBuild["typical"]>>;
const ownNames = Object.keys(own);

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

/** Everything beside containerd's own programs. */
const debian: DebianBundle = {
  packages: [
    "runc",
    "containernetworking-plugins",
    "iptables",
    "nftables",
    "conntrack",
    // The system's own is used where it has one.
    "iproute2",
  ],
  versionOf: "runc",
  programs: {
    runc: "usr/sbin/runc",
    // One binary that looks at the name it is started under; the system's links are made at installation.
    ...Object.fromEntries(iptablesNames.map((name) => [name, "usr/sbin/xtables-nft-multi"])),
    nft: "usr/sbin/nft",
    conntrack: "usr/sbin/conntrack",
    ip: "usr/bin/ip",
  },
  folders: { cni: "usr/lib/cni" },
  paths: { XTABLES_LIBDIR: "usr/lib/*/xtables" },
};

/** Debian's packages, with containerd's own programs beside them: Debian's are too old for volumes that are images. */
async function besideDebian(
  folder: string,
  context: ToolContext,
  destination: string,
  addOwn: (to: string) => Promise<void>,
): Promise<Layout> {
  await requireDebian(context);
  await addOwn(join(folder, "containerd"));
  const layout = await obtainDebianBundle(debian, folder, context, destination);
  const programs = Object.fromEntries(ownNames.map((name) => [name, join("containerd", name)]));
  return {
    ...layout,
    version,
    programs: { ...layout.programs, ...programs },
    prepend: { ...layout.prepend, PATH: ["containerd", ...(layout.prepend?.PATH ?? [])] },
  };
}

/** What a node runs containers and their network with: containerd, runc, CNI plug-ins, iptables, nftables, conntrack, ip. */
export function containerdFrom(releaseUrl: string): Recipe {
  return {
    name: "containerd",
    version: async () => `${version}-${await systemRelease()}`,
    unsupported: linuxOnly,
    async findOnPath(context) {
      const oldest = oldestOnPath.containerd;
      const result = await findPrograms(
        [
          {
            name: "containerd",
            versionArguments: ["--version"],
            wanted: { text: `2.x from ${oldest} on`, accepts: (answer) => isInRange(answer, `^${oldest}`) },
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
        origin: "release",
        title: `official release at ${new URL(releaseUrl).host}, and Debian packages`,
        async obtain(folder, context, destination) {
          const name = `containerd-static-${version.slice(1)}-linux-${goArchitecture(context.platform)}.tar.gz`;
          const url = `${releaseUrl}/containerd/containerd/releases/download/${version}/${name}`;
          const target = join(folder, name);
          return await besideDebian(folder, context, destination, async (to) => {
            await downloadVerified([{ url, checksumUrl: `${url}.sha256sum`, target }], context);
            const members = ownNames.map((program) => `bin/${program}`);
            await unpack(target, to, context, { withoutLeading: 1, members });
          });
        },
      },
      {
        origin: "registry",
        title: "Go module github.com/containerd/containerd/v2, and Debian packages",
        async obtain(folder, context, destination) {
          return await besideDebian(folder, context, destination, async (to) => {
            await mkdir(to);
            for (const [name, typical] of Object.entries(own)) {
              const target = `github.com/containerd/containerd/v2/cmd/${name}`;
              const variables = { "github.com/containerd/containerd/v2/version.Version": version };
              await buildGoProgram(
                { module: new URL("../../go/containerd/", import.meta.url), target, variables, typical },
                join(to, name),
                context,
              );
            }
          });
        },
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
      "Use a cluster that is there already: pass --context or --kubeconfig. Or install containerd 2.1 or newer, runc, the CNI plug-ins, iptables, nftables, conntrack and iproute2.",
  };
}

export const containerd = containerdFrom("https://github.com");
