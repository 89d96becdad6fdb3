import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { requireSuccess, runProgram } from "../../../../src/support.ts";
import { isMountPoint, isNamespace, parseMounts } from "./mounts.ts";
import type { ClusterFolders } from "./state-folder.ts";

/**
 * The node lives in a network namespace and a mount namespace of its own. In the mount namespace, folders at fixed paths
 * (which containerd and the kubelet do not let one choose) are the cluster's own, and everything that is mounted for
 * pods goes away with the namespace.
 */
export interface NamespacePaths {
  readonly net: string;
  readonly mnt: string;
  /** Written last: says that the mount namespace is complete. */
  readonly ready: string;
}

export const namespacePaths = (folders: ClusterFolders): NamespacePaths => ({
  net: join(folders.namespaces, "net"),
  mnt: join(folders.namespaces, "mnt"),
  ready: join(folders.namespaces, "ready"),
});

/** Folders at fixed paths, by the name of the cluster's own folder that is bound over them. */
export const overlaidFolders: Readonly<Record<string, string>> = {
  "run-containerd": "/run/containerd",
  "lib-kubelet": "/var/lib/kubelet",
  "lib-cni": "/var/lib/cni",
  "log-containers": "/var/log/containers",
};

/**
 * Kernel settings that the kubelet insists on and would set for the whole machine: inside the namespace it finds files
 * that read as it wishes, so the machine's own stay as they are.
 */
const kernelSettings: Readonly<Record<string, string>> = {
  "/proc/sys/vm/overcommit_memory": "1",
  "/proc/sys/vm/panic_on_oom": "0",
  "/proc/sys/kernel/panic": "10",
  "/proc/sys/kernel/panic_on_oops": "1",
  "/proc/sys/kernel/keys/root_maxkeys": "1000000",
  "/proc/sys/kernel/keys/root_maxbytes": "25000000",
};

/** Runs a program inside the node's namespaces: nsenter replaces itself by it. */
export const enterNode = (folders: ClusterFolders, nsenter: string): string[] => {
  const paths = namespacePaths(folders);
  return [nsenter, `--net=${paths.net}`, `--mount=${paths.mnt}`, "--"];
};

export function namespacesReady(folders: ClusterFolders): boolean {
  const paths = namespacePaths(folders);
  return isNamespace(paths.net) && isNamespace(paths.mnt) && existsSync(paths.ready);
}

/** Inode numbers by which the processes in the namespaces are recognised. */
export function namespaceInodes(folders: ClusterFolders): { net?: number; mnt?: number } {
  const paths = namespacePaths(folders);
  return {
    ...(isNamespace(paths.net) ? { net: statSync(paths.net).ino } : {}),
    ...(isNamespace(paths.mnt) ? { mnt: statSync(paths.mnt).ino } : {}),
  };
}

/** For each program that mounts: they take milliseconds, unless a file system does not answer. */
const timeoutMs = 30_000;

const setUpMounts = `set -e
mount --make-rshared /
ready=$1; shift
while [ $# -gt 1 ]; do mount --bind "$1" "$2"; shift 2; done
echo ready > "$ready"`;

/** Makes both namespaces, in place of an incomplete one. No process of the cluster may be in the old. */
export async function createNamespaces(
  folders: ClusterFolders,
  programs: { readonly mount: string; readonly unshare: string; readonly umount: string },
  signal: AbortSignal,
): Promise<void> {
  await removeNamespaces(folders, programs);
  const paths = namespacePaths(folders);
  mkdirSync(folders.namespaces, { recursive: true, mode: 0o700 });
  const doing = "Making the node's namespaces";
  // A namespace can only be kept in a mount that does not propagate to others.
  requireSuccess(
    await runProgram(programs.mount, ["--bind", folders.namespaces, folders.namespaces], {
      signal,
      timeoutMs,
    }),
    doing,
  );
  requireSuccess(
    await runProgram(programs.mount, ["--make-private", folders.namespaces], { signal, timeoutMs }),
    doing,
  );
  for (const path of [paths.net, paths.mnt]) writeFileSync(path, "");
  const created = await runProgram(
    programs.unshare,
    [
      `--net=${paths.net}`,
      `--mount=${paths.mnt}`,
      "--propagation=slave",
      "sh",
      "-c",
      setUpMounts,
      "sh",
      paths.ready,
      ...bindings(folders),
    ],
    { signal, timeoutMs },
  );
  requireSuccess(created, doing);
}

/** Source and target of each bind mount. */
function bindings(folders: ClusterFolders): string[] {
  const list: string[] = [];
  for (const [name, target] of Object.entries(overlaidFolders)) {
    const source = join(folders.overlays, name);
    mkdirSync(source, { recursive: true, mode: 0o711 });
    mkdirSync(target, { recursive: true });
    list.push(source, target);
  }
  for (const [target, value] of Object.entries(kernelSettings)) {
    if (!existsSync(target)) continue;
    const source = join(folders.overlays, target.slice(1).replaceAll("/", "-"));
    writeFileSync(source, `${value}\n`);
    list.push(source, target);
  }
  return list;
}

/** Takes the namespaces' mounts away; the kernel ends the namespaces with their last process. */
export async function removeNamespaces(
  folders: ClusterFolders,
  programs: { readonly umount: string },
): Promise<void> {
  const paths = namespacePaths(folders);
  rmSync(paths.ready, { force: true });
  for (const path of [paths.net, paths.mnt, folders.namespaces]) {
    while (isMountPoint(path)) {
      requireSuccess(
        await runProgram(programs.umount, [path], { timeoutMs }),
        "Removing the node's namespaces",
      );
    }
  }
}

/** Removes the mount points at fixed paths, except those that somebody uses. */
export function removeHostFolders(): void {
  const used = mountPointsOfAllProcesses();
  for (const folder of Object.values(overlaidFolders)) {
    // Removing a mount point would take the mount away from a cluster that runs in another namespace.
    if (used.has(folder)) continue;
    try {
      rmdirSync(folder);
    } catch {
      // Not there, or not empty: then it is somebody else's.
    }
  }
}

function mountPointsOfAllProcesses(): Set<string> {
  const points = new Set<string>();
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const { mountPoint } of parseMounts(readFileSync(`/proc/${pid}/mountinfo`, "utf8"))) {
        points.add(mountPoint);
      }
    } catch {
      // It has ended.
    }
  }
  return points;
}
