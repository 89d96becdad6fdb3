import { componentNames } from "../../../../src/support.ts";
import { joinComponentsGroup } from "./cgroups.ts";
import { cgroupPath } from "./cluster-state.ts";
import { clusterVariable, isAlive, sessionLeaders } from "./process-table.ts";
import {
  type ComponentRecord,
  type ComponentSpec,
  forgetComponent,
  readComponent,
  runningAsSpecified,
  startComponent,
  stopProcesses,
} from "./processes.ts";
import type { ClusterRun } from "./run.ts";

/** How long a component may take to end by itself before it is killed. */
const politeMs = 5_000;

/** Starts the component unless it runs just as specified; one that runs otherwise is stopped first. */
export async function ensureComponent(run: ClusterRun, spec: ComponentSpec): Promise<ComponentRecord> {
  run.signal.throwIfAborted();
  const running = runningAsSpecified(run.folders, spec);
  if (running !== undefined) return running;
  const before = readComponent(run.folders, spec.name);
  if (before !== undefined && isAlive(before)) await stopProcesses([before], run.clock, { politeMs });
  forgetComponent(run.folders, spec.name);
  const group = cgroupPath(run.folders, run.name);
  return startComponent(run.folders, spec, (pid) => joinComponentsGroup(group, pid));
}

/** Stops components that a killed command started but could not record any more. */
export async function stopStrays(run: ClusterRun): Promise<void> {
  const recorded = componentNames.map((name) => readComponent(run.folders, name)?.pid);
  const strays = sessionLeaders(clusterVariable, run.folders.folder).filter(
    ({ pid }) => !recorded.includes(pid),
  );
  await stopProcesses(strays, run.clock, { politeMs });
}
