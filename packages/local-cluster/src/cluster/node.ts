import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Tool } from "../../../../src/support.ts";
import { type ClusterRecord, cgroupPath, nodeName } from "./cluster-state.ts";
import { containerdSocket, type NodeContext, nodePath } from "./containerd.ts";
import type { CredentialFiles } from "./credentials.ts";
import { writePrivateFile } from "./files.ts";
import { enterNode } from "./namespaces.ts";
import type { ComponentSpec } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";
import { programOf } from "./tool-programs.ts";

/** Writes the kubelet's configuration and says how to run it. */
export function kubeletSpec(
  kubernetes: Tool,
  containerd: Tool,
  context: NodeContext,
  credentials: CredentialFiles,
): ComponentSpec {
  const { folders, record } = context;
  const configuration = stringify(kubeletConfiguration(folders, record, credentials));
  const path = join(folders.configuration, "kubelet.yaml");
  writePrivateFile(path, configuration);
  writePrivateFile(
    resolverPath(folders),
    "# Pods are given the cluster's resolver; there is none beyond it.\n",
  );
  mkdirSync(folders.kubelet, { recursive: true, mode: 0o711 });
  mkdirSync(folders.containerLogs, { recursive: true, mode: 0o711 });
  return {
    name: "kubelet",
    program: programOf(kubernetes, "kubelet"),
    through: enterNode(folders, context.nsenter),
    env: { ...kubernetes.env, ...containerd.env, PATH: nodePath([containerd]) },
    arguments: [
      `--config=${path}`,
      `--kubeconfig=${credentials.kubeconfigs.kubelet}`,
      `--hostname-override=${nodeName(record.name)}`,
      `--node-ip=${record.addresses.node}`,
      `--root-dir=${folders.kubelet}`,
      `--cert-dir=${join(folders.kubelet, "pki")}`,
    ],
    configuration: [configuration],
  };
}

const resolverPath = (folders: ClusterFolders) => join(folders.configuration, "resolv.conf");

function kubeletConfiguration(
  folders: ClusterFolders,
  record: ClusterRecord,
  credentials: CredentialFiles,
): Record<string, unknown> {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: record.addresses.node,
    readOnlyPort: 0,
    healthzBindAddress: "127.0.0.1",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: credentials.authority },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: credentials.kubeletServer.certificate,
    tlsPrivateKeyFile: credentials.kubeletServer.key,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDNS: [record.addresses.dnsService],
    clusterDomain: "cluster.local",
    resolvConf: resolverPath(folders),
    podLogsDir: folders.containerLogs,
    volumePluginDir: join(folders.kubelet, "volume-plugins"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroupPath(folders, record.name),
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    // A full disk of a developer's machine is no reason to evict pods or to remove images that nobody can pull again.
    evictionHard: {
      "memory.available": "0%",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "imagefs.inodesFree": "0%",
    },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
  };
}

/** Writes the configuration of the Service proxy and says how to run it. */
export function proxySpec(
  kubernetes: Tool,
  containerd: Tool,
  context: NodeContext,
  credentials: CredentialFiles,
): ComponentSpec {
  const { folders, record } = context;
  const configuration = stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig: credentials.kubeconfigs["kube-proxy"], qps: 100, burst: 200 },
    hostnameOverride: nodeName(record.name),
    clusterCIDR: record.addresses.podRange,
    // The limit of connections is the whole machine's and not ours to set.
    conntrack: { maxPerCore: 0, min: 0 },
    nftables: { minSyncPeriod: "100ms" },
    oomScoreAdj: 0,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
  });
  const path = join(folders.configuration, "kube-proxy.yaml");
  writePrivateFile(path, configuration);
  return {
    name: "kube-proxy",
    program: programOf(kubernetes, "kube-proxy"),
    through: enterNode(folders, context.nsenter),
    env: { ...kubernetes.env, ...containerd.env, PATH: nodePath([containerd]) },
    arguments: [`--config=${path}`],
    configuration: [configuration],
  };
}
