import type { Clock, EventSink } from "../../../../src/support.ts";
import type { EnsureClusterTool } from "../tools/ensure.ts";
import type { HostPrograms } from "./host.ts";
import type { ClusterFolders } from "./state-folder.ts";

/** What every step of one command on one cluster is given. */
export interface ClusterRun {
  readonly name: string;
  readonly folders: ClusterFolders;
  readonly stateFolder: string;
  readonly programs: HostPrograms;
  readonly ensureTool: EnsureClusterTool;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/** What a cluster is to be, chosen once at its start and kept. */
export interface ClusterShape {
  /** One of `kubernetesVersions`. */
  readonly kubernetesVersion: string;
  /** Whether it has DNS, volumes and metrics. */
  readonly addons: boolean;
}
