import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type LocalCluster, UserError } from "../../../../src/support.ts";
import { type ClusterAddresses, checkSum } from "./addresses.ts";
import { writePrivateFile } from "./files.ts";
import { type ClusterFolders, clusterFolders } from "./state-folder.ts";

/** Ports on the host; where one is taken when a component must start, another is chosen. */
export interface ClusterPorts {
  readonly apiServer: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly ingress: number;
  readonly ingressTls: number;
  /** Metrics, health and the read-only API of the ingress controller. */
  readonly ingressAdministration: number;
  /** metrics-server, on the host's end of the link as the API server is. */
  readonly metrics: number;
}

/** Ports on an address of the cluster's own: nobody else's can be the same. */
export const portsOnOwnAddress: readonly (keyof ClusterPorts)[] = ["apiServer", "metrics"];

/** `cluster.json`: written before anything is made, so that an interrupted `up` can be resumed or removed. */
export interface ClusterRecord {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly addresses: ClusterAddresses;
  readonly ports: ClusterPorts;
  /** The Kubernetes version that was asked for; in records of older versions absent. */
  readonly kubernetesVersion?: string;
  /** Whether it has DNS, volumes and metrics; absent means yes. */
  readonly addons?: boolean;
  /** Of the Kubernetes that runs; absent until it is known. */
  readonly version?: string;
  /** When the node was first Ready. */
  readonly readyAt?: string;
}

export function readRecord(folders: ClusterFolders): ClusterRecord | undefined {
  let text: string;
  try {
    text = readFileSync(folders.record, "utf8");
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as ClusterRecord;
  } catch (cause) {
    throw new UserError({
      code: "cluster-record-invalid",
      message: `${folders.record} is not valid JSON.`,
      hint: "Remove the cluster with `modelswitch cluster down` and start it again.",
      cause,
    });
  }
}

export function writeRecord(folders: ClusterFolders, record: ClusterRecord): void {
  writePrivateFile(folders.record, `${JSON.stringify(record, null, 2)}\n`);
}

/** Names of the clusters that have a state folder, running or not. */
export function clusterNames(stateFolderPath: string): string[] {
  try {
    return readdirSync(join(stateFolderPath, "clusters"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

/** Address blocks of all clusters of this user. */
export function takenBlocks(stateFolderPath: string): string[] {
  return clusterNames(stateFolderPath).flatMap((name) => {
    try {
      const record = readRecord(clusterFolders(stateFolderPath, name));
      return record === undefined ? [] : [record.addresses.block];
    } catch {
      return [];
    }
  });
}

export function publicView(folders: ClusterFolders, record: ClusterRecord): LocalCluster {
  return {
    name: record.name,
    version: record.version ?? "unknown",
    kubeconfigPath: folders.kubeconfig,
    kubectlPath: join(folders.programs, "kubectl"),
    ingressUrl: ingressUrl(record),
  };
}

export const ingressUrl = (record: ClusterRecord): string => `http://127.0.0.1:${record.ports.ingress}`;

export const nodeName = (name: string): string => `modelswitch-${name}`;

/** Path of the cluster's cgroup in each hierarchy; two users may each have a cluster of the same name. */
export const cgroupPath = (folders: ClusterFolders, name: string): string =>
  `/modelswitch-${name}-${checkSum(folders.folder)}`;
