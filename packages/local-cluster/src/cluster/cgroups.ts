import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, messageOf, UserError } from "../../../../src/support.ts";
import { currentMounts, type Mount } from "./mounts.ts";

/** Below the cluster's cgroup: the components. The kubelet makes its own sibling for pods. */
const componentsGroup = "components";

/** Controllers that the kubelet needs in a cgroup v2 hierarchy, where the kernel has them. */
const controllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"];

function hierarchies(): Mount[] {
  return currentMounts().filter(({ type }) => type === "cgroup" || type === "cgroup2");
}

/**
 * Makes the cluster's cgroup in every hierarchy: in each controller's (v1), in the one there is (v2), or in both kinds.
 * @throws UserError `cgroups-unavailable`
 */
export function createCgroups(path: string): void {
  const mounts = hierarchies();
  const needed = ["cpu", "memory", "pids"];
  const available = new Set(mounts.flatMap(controllersOf));
  const missing = needed.filter((controller) => !available.has(controller));
  if (missing.length > 0) {
    throw new UserError({
      code: "cgroups-unavailable",
      message: `The kernel offers no cgroup controller ${missing.join(", ")} here, so containers can't be run.`,
      hint: "In a container, start it with its own cgroup namespace and write access to /sys/fs/cgroup; or name another cluster with --context or --kubeconfig.",
    });
  }
  for (const mount of mounts) {
    try {
      if (mount.type === "cgroup2") enableControllers(mount.mountPoint);
      const group = join(mount.mountPoint, path);
      createGroup(mount.mountPoint, group);
      if (mount.type === "cgroup2") enableControllers(group);
      createGroup(group, join(group, componentsGroup));
    } catch (cause) {
      throw new UserError({
        code: "cgroups-unavailable",
        message: `The cgroup ${path} could not be made in ${mount.mountPoint}: ${messageOf(cause)}`,
        hint: "/sys/fs/cgroup must be writable (in a container: its own cgroup namespace, privileged). Or name another cluster with --context or --kubeconfig.",
        cause,
      });
    }
  }
}

/** Controllers of a hierarchy: named in the mount options of v1, in a file of v2. */
function controllersOf(mount: Mount): readonly string[] {
  if (mount.type === "cgroup") return mount.superOptions;
  return readText(join(mount.mountPoint, "cgroup.controllers")).split(/\s+/);
}

function createGroup(parent: string, group: string): void {
  mkdirSync(group, { recursive: true });
  // A new group of the cpuset controller has no processors and no memory, and nothing can join it.
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const target = join(group, file);
    const inherited = readText(join(parent, file));
    if (inherited !== "" && existsSync(target) && readText(target) === "") writeFileSync(target, inherited);
  }
}

function enableControllers(group: string): void {
  const available = readText(join(group, "cgroup.controllers")).split(/\s+/);
  const enabled = readText(join(group, "cgroup.subtree_control")).split(/\s+/);
  for (const controller of controllers) {
    if (!available.includes(controller) || enabled.includes(controller)) continue;
    writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
  }
}

/** Moves a process to the cluster's components, so that it does not end with the session or service that started it. */
export function joinComponentsGroup(path: string, pid: number): void {
  for (const { mountPoint } of hierarchies()) {
    try {
      writeFileSync(join(mountPoint, path, componentsGroup, "cgroup.procs"), String(pid));
    } catch {
      // It has ended already (the caller notices), or this hierarchy allows no moves (then it stays where it is).
    }
  }
}

/** Removes the cluster's cgroups; all processes in them must have ended. */
export async function removeCgroups(path: string, clock: Clock): Promise<void> {
  const deadline = clock.now() + 10_000;
  for (const { mountPoint } of hierarchies()) {
    const group = join(mountPoint, path);
    while (existsSync(group)) {
      try {
        removeTree(group);
      } catch (cause) {
        // The kernel counts a process out of its group a moment after it ended.
        if (clock.now() > deadline) {
          throw new UserError({
            code: "cgroup-not-removed",
            message: `The cgroup ${group} could not be removed: ${messageOf(cause)}`,
            hint: `See which processes are in it: cat ${group}/cgroup.procs. Then run \`modelswitch cluster down\` again.`,
            cause,
          });
        }
        await clock.sleep(50);
      }
    }
  }
}

/** The folders of a cgroup are its child groups; the files in them go by themselves. */
function removeTree(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  }
  rmdirSync(group);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
