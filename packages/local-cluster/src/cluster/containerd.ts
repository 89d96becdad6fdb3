import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { requireSuccess, runProgram, type Tool, UserError } from "../../../../src/support.ts";
import { packImages } from "../images/oci-archive.ts";
import type { ClusterRecord } from "./cluster-state.ts";
import { writePrivateFile } from "./files.ts";
import { enterNode } from "./namespaces.ts";
import { pauseProgram } from "./pause-program.ts";
import type { ComponentSpec } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";
import { folderOf, programOf } from "./tool-programs.ts";

/** As seen in the node's mount namespace, where this folder is the cluster's own. */
export const containerdSocket = "/run/containerd/containerd.sock";
const pauseImage = "modelswitch.dev/pause:1";

export type Snapshotter = "overlayfs" | "native";

export interface NodeContext {
  readonly folders: ClusterFolders;
  readonly record: ClusterRecord;
  readonly nsenter: string;
  readonly snapshotter: Snapshotter;
}

/** Programs of the tool's folders, then the system's: containerd looks for its shim, the kubelet for mount. */
export function nodePath(tools: readonly Tool[]): string {
  const folders = tools.flatMap((tool) => Object.values(tool.programs).map((path) => dirname(path)));
  return [...new Set(folders), ...systemFolders].join(":");
}

export const systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Writes containerd's configuration and says how to run it. */
export function containerdSpec(tool: Tool, context: NodeContext): ComponentSpec {
  const { folders, record } = context;
  const networkFolder = join(folders.configuration, "cni");
  const network = networkConfiguration(record);
  writePrivateFile(join(networkFolder, "10-modelswitch.conflist"), network);
  const configurationPath = join(folders.configuration, "containerd.toml");
  const configuration = containerdConfiguration({
    root: folders.containerd,
    networkFolder,
    networkPlugins: folderOf(tool, "cni"),
    runc: programOf(tool, "runc"),
    snapshotter: context.snapshotter,
  });
  writePrivateFile(configurationPath, configuration);
  mkdirSync(folders.containerd, { recursive: true, mode: 0o711 });
  return {
    name: "containerd",
    program: programOf(tool, "containerd"),
    through: enterNode(folders, context.nsenter),
    env: { ...tool.env, PATH: nodePath([tool]) },
    arguments: [`--config=${configurationPath}`],
    configuration: [configuration, network],
  };
}

/**
 * The optional plug-in makes a folder in /opt, that of NRI listens; the other snapshotters need what is not there.
 * `restrict_oom_score_adj`: without CAP_SYS_RESOURCE no pod sandbox starts otherwise. `disable_apparmor`: its profile
 * would stay in the kernel.
 */
export function containerdConfiguration(about: {
  readonly root: string;
  readonly networkFolder: string;
  readonly networkPlugins: string;
  readonly runc: string;
  readonly snapshotter: Snapshotter;
}): string {
  const text = JSON.stringify;
  return `version = 2
root = ${text(about.root)}
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = ${text(containerdSocket)}

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${text(pauseImage)}
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = ${text(about.networkPlugins)}
conf_dir = ${text(about.networkFolder)}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = ${text(about.snapshotter)}
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = ${text(about.runc)}
SystemdCgroup = false
`;
}

/**
 * One routed link per pod: unlike on a bridge, traffic between pods of one node always passes the node's packet filter,
 * which Services need, whether or not the kernel filters bridged traffic.
 */
export function networkConfiguration(record: Pick<ClusterRecord, "addresses">): string {
  return JSON.stringify(
    {
      cniVersion: "0.4.0",
      name: "modelswitch",
      plugins: [
        {
          type: "ptp",
          ipMasq: false,
          ipam: {
            type: "host-local",
            dataDir: "/var/lib/cni/networks",
            ranges: [[{ subnet: record.addresses.podRange }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );
}

/** Whether overlay file systems work in the cluster's folder (they don't upon another overlay, as in some containers). */
export async function chooseSnapshotter(
  folders: ClusterFolders,
  programs: { readonly mount: string; readonly unshare: string },
  signal: AbortSignal,
): Promise<Snapshotter> {
  const folder = join(folders.folder, "overlay-trial");
  for (const part of ["lower", "upper", "work", "merged"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  // In a mount namespace of its own: the mount ends with the program.
  const tried = await runProgram(
    programs.unshare,
    [
      "--mount",
      programs.mount,
      "-t",
      "overlay",
      "overlay",
      "-o",
      `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`,
      `${folder}/merged`,
    ],
    { signal, timeoutMs: 30_000 },
  );
  return tried.exitCode === 0 ? "overlayfs" : "native";
}

/** `ctr` in the node, on the images that Kubernetes sees. */
async function ctr(
  tool: Tool,
  context: NodeContext,
  args: readonly string[],
  signal: AbortSignal,
  doing: string,
  timeoutMs = 60_000,
) {
  const [program = "", ...rest] = [
    ...enterNode(context.folders, context.nsenter),
    programOf(tool, "ctr"),
    `--address=${containerdSocket}`,
    "--namespace=k8s.io",
    ...args,
  ];
  const env = { ...tool.env, PATH: nodePath([tool]) };
  return requireSuccess(await runProgram(program, rest, { signal, env, timeoutMs }), doing);
}

/** Whether containerd answers. */
export async function containerdAnswers(
  tool: Tool,
  context: NodeContext,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await ctr(tool, context, ["version"], signal, "Asking containerd", 15_000);
    return true;
  } catch (error) {
    const notYet = ["program-failed", "program-timeout"];
    if (signal.aborted || !(error instanceof UserError) || !notYet.includes(error.code)) throw error;
    return false;
  }
}

/** Imports an OCI or Docker archive and returns the names of its images. */
export async function importImages(
  tool: Tool,
  context: NodeContext,
  archivePath: string,
  signal: AbortSignal,
): Promise<string[]> {
  const imported = await ctr(
    tool,
    context,
    [...importArguments(context), archivePath],
    signal,
    `Importing ${archivePath}`,
    15 * 60_000,
  );
  return importedNames(imported.stdout);
}

/** `--local`: the names of the images are printed line by line. */
function importArguments({ snapshotter }: NodeContext): string[] {
  return ["images", "import", "--local", `--snapshotter=${snapshotter}`];
}

/** Program and arguments that import an archive in the node; `-` reads it from the input. */
export function importCommand(tool: Tool, context: NodeContext, archive: string): string[] {
  const env = Object.entries({ ...tool.env, PATH: nodePath([tool]) }).map(
    ([key, value]) => `${key}=${value}`,
  );
  return [
    ...enterNode(context.folders, context.nsenter),
    "env",
    ...env,
    programOf(tool, "ctr"),
    `--address=${containerdSocket}`,
    "--namespace=k8s.io",
    ...importArguments(context),
    archive,
  ];
}

/** `ctr images import` writes one line per image: `unpacking NAME (DIGEST)...done`. */
export function importedNames(output: string): string[] {
  return output
    .split("\n")
    .map((line) => /^unpacking (\S+)/.exec(line)?.[1])
    .filter((name) => name !== undefined);
}

/** Makes the image of the pod sandbox and imports it; again only if it is not there. */
export async function importPauseImage(tool: Tool, context: NodeContext, signal: AbortSignal): Promise<void> {
  const listed = await ctr(tool, context, ["images", "list", "--quiet"], signal, "Listing images");
  if (listed.stdout.split("\n").includes(pauseImage)) return;
  const { archive } = packImages([
    {
      name: pauseImage,
      files: [{ path: "pause", contents: pauseProgram(process.arch), mode: 0o755 }],
      entrypoint: ["/pause"],
      env: {},
      ports: [],
    },
  ]);
  const path = join(context.folders.configuration, "pause.tar");
  writeFileSync(path, archive);
  await importImages(tool, context, path, signal);
}
