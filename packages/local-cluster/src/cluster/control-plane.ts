import { join } from "node:path";
import type { Tool } from "../../../../src/support.ts";
import type { ClusterRecord } from "./cluster-state.ts";
import { type CredentialFiles, frontProxyName } from "./credentials.ts";
import type { ProcessIdentity } from "./process-table.ts";
import type { ComponentSpec } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";
import { programOf } from "./tool-programs.ts";

export interface ControlPlaneContext {
  readonly folders: ClusterFolders;
  readonly record: ClusterRecord;
  readonly credentials: CredentialFiles;
}

/** Throw-away data: it need not survive a power failure, so etcd does not wait for the disk. */
export function etcdSpec(tool: Tool, { folders, record, credentials }: ControlPlaneContext): ComponentSpec {
  const client = `https://127.0.0.1:${record.ports.etcdClient}`;
  const peer = `https://127.0.0.1:${record.ports.etcdPeer}`;
  return {
    name: "etcd",
    program: programOf(tool, "etcd"),
    env: { ...tool.env },
    arguments: [
      "--name=etcd",
      `--data-dir=${folders.etcd}`,
      "--unsafe-no-fsync",
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=etcd=${peer}`,
      "--client-cert-auth",
      `--trusted-ca-file=${credentials.authority}`,
      `--cert-file=${credentials.etcd.certificate}`,
      `--key-file=${credentials.etcd.key}`,
      "--peer-client-cert-auth",
      `--peer-trusted-ca-file=${credentials.authority}`,
      `--peer-cert-file=${credentials.etcd.certificate}`,
      `--peer-key-file=${credentials.etcd.key}`,
      "--log-level=warn",
    ],
    configuration: [],
  };
}

/** It listens on the host's end of the link to the node, where both the host and pods reach it and nobody else does. */
export function apiServerSpec(tool: Tool, { record, credentials }: ControlPlaneContext): ComponentSpec {
  const { addresses, ports } = record;
  return {
    name: "kube-apiserver",
    program: programOf(tool, "kube-apiserver"),
    env: { ...tool.env },
    arguments: [
      `--bind-address=${addresses.host}`,
      `--advertise-address=${addresses.host}`,
      `--secure-port=${ports.apiServer}`,
      `--tls-cert-file=${credentials.apiServer.certificate}`,
      `--tls-private-key-file=${credentials.apiServer.key}`,
      `--client-ca-file=${credentials.authority}`,
      "--anonymous-auth=false",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      `--etcd-servers=https://127.0.0.1:${ports.etcdClient}`,
      `--etcd-cafile=${credentials.authority}`,
      `--etcd-certfile=${credentials.etcd.certificate}`,
      `--etcd-keyfile=${credentials.etcd.key}`,
      `--service-cluster-ip-range=${addresses.serviceRange}`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${credentials.tokenPublicKey}`,
      `--service-account-signing-key-file=${credentials.tokenKey}`,
      `--kubelet-client-certificate=${credentials.kubeletClient.certificate}`,
      `--kubelet-client-key=${credentials.kubeletClient.key}`,
      `--kubelet-certificate-authority=${credentials.authority}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--allow-privileged=true",
      // API servers behind this one: metrics-server, and whatever users add. They are reached at their endpoints, since
      // the host has no route to the addresses of Services; webhooks in pods work for the same reason.
      `--requestheader-client-ca-file=${credentials.frontProxyAuthority}`,
      `--requestheader-allowed-names=${frontProxyName}`,
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${credentials.frontProxyClient.certificate}`,
      `--proxy-client-key-file=${credentials.frontProxyClient.key}`,
      "--enable-aggregator-routing=true",
      "--profiling=false",
    ],
    configuration: [],
  };
}

export function controllerManagerSpec(
  tool: Tool,
  { folders, credentials }: ControlPlaneContext,
  server: ProcessIdentity,
): ComponentSpec {
  return {
    name: "kube-controller-manager",
    program: programOf(tool, "kube-controller-manager"),
    env: { ...tool.env },
    arguments: [
      `--kubeconfig=${credentials.kubeconfigs["kube-controller-manager"]}`,
      ...alone,
      "--use-service-account-credentials",
      `--root-ca-file=${credentials.authority}`,
      `--service-account-private-key-file=${credentials.tokenKey}`,
      `--cluster-signing-cert-file=${credentials.authority}`,
      `--cluster-signing-key-file=${credentials.authorityKey}`,
      // As often as metrics come, instead of every 15 seconds.
      "--horizontal-pod-autoscaler-sync-period=5s",
      // By default it looks for plug-ins in a folder of the system, and makes it.
      `--flex-volume-plugin-dir=${join(folders.kubelet, "volume-plugins")}`,
    ],
    configuration: startedAfter(server),
  };
}

export function schedulerSpec(
  tool: Tool,
  { credentials }: ControlPlaneContext,
  server: ProcessIdentity,
): ComponentSpec {
  return {
    name: "kube-scheduler",
    program: programOf(tool, "kube-scheduler"),
    env: { ...tool.env },
    arguments: [`--kubeconfig=${credentials.kubeconfigs["kube-scheduler"]}`, ...alone],
    configuration: startedAfter(server),
  };
}

/** There is one of each, so nobody is to be elected; nobody asks for its metrics, so it need not listen. */
const alone = ["--leader-elect=false", "--secure-port=0", "--kube-api-qps=100", "--kube-api-burst=200"];

/**
 * They start anew with the API server. Where several compete for one lease, they lose it in an outage, end, and are started again;
 * these would go on with what they knew before it, for up to a minute of their client's back-off, and take a node whose
 * renewed lease they have not seen yet for lost, and its pods out of every Service.
 */
const startedAfter = ({ pid, startTime, bootId }: ProcessIdentity): readonly string[] => [
  JSON.stringify([pid, startTime, bootId]),
];
