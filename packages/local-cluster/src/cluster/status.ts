import {
  addonNames,
  type ComponentHealth,
  type ComponentName,
  componentNames,
  type LocalClusterStatus,
} from "../../../../src/support.ts";
import { publicView, readRecord } from "./cluster-state.ts";
import { isAlive, residentBytes } from "./process-table.ts";
import { lastLogLines, logPath, readComponent } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";

export function clusterStatus(folders: ClusterFolders): LocalClusterStatus {
  const record = readRecord(folders);
  if (record === undefined) return { cluster: undefined, state: "absent", components: [] };
  const expected = componentNames.filter(
    (name) => record.addons !== false || !addonNames.some((addon) => addon === name),
  );
  const components = expected.map((name) => componentHealth(folders, name));
  return { cluster: publicView(folders, record), state: overallState(components), components };
}

export function overallState(components: readonly ComponentHealth[]): LocalClusterStatus["state"] {
  const running = components.filter(({ state }) => state === "running").length;
  if (running === components.length) return "running";
  return running === 0 ? "stopped" : "degraded";
}

function componentHealth(folders: ClusterFolders, component: ComponentName): ComponentHealth {
  const record = readComponent(folders, component);
  if (record === undefined) return { component, state: "stopped", reason: "it was not started" };
  if (isAlive(record)) {
    return { component, state: "running", pid: record.pid, residentBytes: residentBytes(record.pid) };
  }
  const log = logPath(folders, component);
  const [last] = lastLogLines(log, 1);
  return {
    component,
    state: "stopped",
    reason: `it has ended${last === undefined ? "" : `; the last line of ${log}: ${last}`}`,
  };
}
