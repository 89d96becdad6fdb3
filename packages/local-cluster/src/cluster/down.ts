import { existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { requireSuccess, runProgram, step, UserError } from "../../../../src/support.ts";
import { removeCgroups } from "./cgroups.ts";
import { cgroupPath } from "./cluster-state.ts";
import { currentMounts } from "./mounts.ts";
import { namespaceInodes, removeHostFolders, removeNamespaces } from "./namespaces.ts";
import { unlinkNode } from "./network.ts";
import { processesOf } from "./process-table.ts";
import { stopProcesses } from "./processes.ts";
import type { ClusterRun } from "./run.ts";

/**
 * Removes the cluster. Everything is found by what it belongs to, not by what was recorded, so this also clears away what an
 * interrupted or killed command left; each step does nothing where there is nothing.
 */
export async function removeCluster(run: ClusterRun): Promise<void> {
  const { folders, clock, events } = run;
  const cgroup = cgroupPath(folders, run.name);
  const part = <T>(id: string, title: string, work: () => Promise<T>, evidence?: (result: T) => string) => {
    run.signal.throwIfAborted();
    return step(events, { id: `cluster.${id}`, parent: "cluster", title }, work, evidence);
  };

  await part(
    "processes",
    "Processes",
    () => stopEverything(run),
    (count) => `${count} stopped`,
  );
  await part("network", "Network and mounts", async () => {
    await removeNetwork(run);
    removeHostFolders();
  });
  await part("cgroups", "Cgroups", () => removeCgroups(cgroup, clock));
  await part("state", "State", async () => {
    rmSync(folders.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    removeIfEmpty(dirname(folders.folder));
    removeIfEmpty(run.stateFolder);
  });
}

/** Clears away what a cluster whose record is lost may have left: its state can't be used any more. */
export async function removeRemains(run: ClusterRun): Promise<void> {
  await stopEverything(run);
  await removeNetwork(run);
  rmSync(run.folders.folder, { recursive: true, force: true });
}

async function removeNetwork(run: ClusterRun): Promise<void> {
  if (run.programs.ip !== undefined) await unlinkNode(run.folders, run.programs.ip);
  await removeNamespaces(run.folders, run.programs);
  await removeStrayMounts(run);
}

/** Ends all processes, again until none is left: a process may start another while it is looked for. */
async function stopEverything(run: ClusterRun): Promise<number> {
  const belonging = {
    clusterFolder: run.folders.folder,
    namespaces: namespaceInodes(run.folders),
    cgroup: cgroupPath(run.folders, run.name),
  };
  let count = 0;
  for (;;) {
    const processes = processesOf(belonging);
    if (processes.length === 0) return count;
    count += processes.length;
    // Its data is thrown away, so nothing needs time to save any; pods had theirs from whoever deleted them.
    await stopProcesses(processes, run.clock, { politeMs: 0 });
  }
}

/** Nothing may be mounted in the folder when it is deleted: what is behind a mount is not the cluster's. */
async function removeStrayMounts(run: ClusterRun): Promise<void> {
  const inside = () =>
    currentMounts()
      .map(({ mountPoint }) => mountPoint)
      .filter((path) => path.startsWith(`${run.folders.folder}/`));
  for (const path of inside().reverse()) {
    requireSuccess(
      await runProgram(run.programs.umount, [path], { timeoutMs: 120_000 }),
      `Unmounting ${path}`,
    );
  }
  const left = inside();
  if (left.length === 0) return;
  throw new UserError({
    code: "mounts-left",
    message: `These mounts could not be taken away: ${left.join(", ")}.`,
    hint: "Unmount them (umount PATH), then run `modelswitch cluster down` again.",
  });
}

function removeIfEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  try {
    rmdirSync(folder);
  } catch {
    // Other clusters are in it.
  }
}
