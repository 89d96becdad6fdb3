import { join } from "node:path";
import { exitCodes, UserError } from "../../../../src/support.ts";

/** Where everything of one cluster is: `down` removes `folder`, and with it all of this. */
export interface ClusterFolders {
  readonly folder: string;
  readonly record: string;
  readonly kubeconfig: string;
  readonly logs: string;
  /** Pid, start time and command of each component. */
  readonly processes: string;
  readonly certificates: string;
  readonly configuration: string;
  /** Links named after the Kubernetes programs; `kubectl` among them is for users. */
  readonly programs: string;
  /** A mount point of its own that holds the cluster's network and mount namespaces. */
  readonly namespaces: string;
  /** Bound over fixed paths of the system inside the cluster's mount namespace. */
  readonly overlays: string;
  readonly etcd: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly containerLogs: string;
  /** A folder for each volume of the default storage class. */
  readonly volumes: string;
}

export function clusterFolders(stateFolderPath: string, name: string): ClusterFolders {
  const folder = join(stateFolderPath, "clusters", name);
  return {
    folder,
    record: join(folder, "cluster.json"),
    kubeconfig: join(folder, "kubeconfig"),
    logs: join(folder, "logs"),
    processes: join(folder, "processes"),
    certificates: join(folder, "certificates"),
    configuration: join(folder, "configuration"),
    programs: join(folder, "bin"),
    namespaces: join(folder, "namespaces"),
    overlays: join(folder, "overlays"),
    etcd: join(folder, "etcd"),
    containerd: join(folder, "containerd"),
    kubelet: join(folder, "kubelet"),
    containerLogs: join(folder, "container-logs"),
    volumes: join(folder, "volumes"),
  };
}

const clusterNamePattern = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** @throws UserError `cluster-name-invalid` */
export function checkClusterName(name: string): void {
  if (clusterNamePattern.test(name)) return;
  throw new UserError({
    code: "cluster-name-invalid",
    message: `"${name}" can't be the name of a local cluster.`,
    hint: "Use at most 40 lower-case letters, digits and dashes, with a letter or digit at both ends.",
    exitCode: exitCodes.usage,
  });
}
