import type { KubernetesObject } from "../../../../src/support.ts";
import type { ClusterRecord } from "./cluster-state.ts";
import { addonUsers } from "./credentials.ts";
import { bindClusterRole, clusterRole } from "./objects.ts";

/** Name of the provisioner in storage classes. */
export const provisionerName = "modelswitch.dev/local-path";
/** As in kind and minikube, so that charts which name it work. */
export const storageClassName = "standard";

const read = ["get", "list", "watch"];
const system = "kube-system";

/** What the cluster holds so that the addons may do their work. They must not start before it is in force. */
export function addonRights(): KubernetesObject[] {
  const { coredns, "metrics-server": metrics, "local-path-provisioner": volumes } = addonUsers;
  return [
    ...clusterRole(coredns, [
      { apiGroups: [""], resources: ["services", "namespaces"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]),
    ...clusterRole(metrics, [
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
      { apiGroups: [""], resources: ["pods", "nodes"], verbs: read },
    ]),
    bindClusterRole(`${metrics}:auth-delegator`, "system:auth-delegator", metrics),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: metrics, namespace: system },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Role",
        name: "extension-apiserver-authentication-reader",
      },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: metrics }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: {
        name: "system:aggregated-metrics-reader",
        labels: {
          "rbac.authorization.k8s.io/aggregate-to-admin": "true",
          "rbac.authorization.k8s.io/aggregate-to-edit": "true",
          "rbac.authorization.k8s.io/aggregate-to-view": "true",
        },
      },
      rules: [{ apiGroups: ["metrics.k8s.io"], resources: ["pods", "nodes"], verbs: read }],
    },
    ...clusterRole(volumes, [
      {
        apiGroups: [""],
        resources: ["persistentvolumes"],
        verbs: [...read, "create", "update", "patch", "delete"],
      },
      { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: [...read, "update", "patch"] },
      { apiGroups: [""], resources: ["nodes"], verbs: read },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "update", "patch"] },
      { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: read },
    ]),
  ];
}

/** The Services through which pods and the API server find the addons, which run outside of pods; the storage class. */
export function addonObjects(record: ClusterRecord): KubernetesObject[] {
  const { addresses, ports } = record;
  return [
    ...serviceAt("kube-dns", addresses.node, addresses.dnsService, [
      { name: "dns", protocol: "UDP", port: 53, target: 53 },
      { name: "dns-tcp", protocol: "TCP", port: 53, target: 53 },
    ]),
    ...serviceAt("metrics-server", addresses.host, undefined, [
      { name: "https", protocol: "TCP", port: 443, target: ports.metrics },
    ]),
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: storageClassName,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: provisionerName,
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    },
  ];
}

/** To be made when metrics-server answers: an API service that does not holds up the removal of namespaces. */
export function metricsApiService(authority: string, process: string): KubernetesObject {
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: {
      name: metricsApiServiceName,
      // The API server looks again when the object changes; else it waits longer after each failure.
      annotations: { "modelswitch.dev/process": process },
    },
    spec: {
      group: "metrics.k8s.io",
      version: "v1beta1",
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { name: "metrics-server", namespace: system, port: 443 },
      caBundle: Buffer.from(authority).toString("base64"),
    },
  };
}

export const metricsApiServiceName = "v1beta1.metrics.k8s.io";

interface AddonPort {
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
  readonly target: number;
}

/** A Service without a selector, and its one endpoint. */
function serviceAt(
  name: string,
  address: string,
  clusterIP: string | undefined,
  ports: readonly AddonPort[],
): KubernetesObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: system, labels: { "k8s-app": name } },
      spec: {
        ...(clusterIP === undefined ? {} : { clusterIP }),
        ports: ports.map(({ name: portName, protocol, port, target }) => ({
          name: portName,
          protocol,
          port,
          targetPort: target,
        })),
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${name}-modelswitch`,
        namespace: system,
        labels: {
          "kubernetes.io/service-name": name,
          "endpointslice.kubernetes.io/managed-by": "modelswitch",
        },
      },
      addressType: "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: ports.map(({ name: portName, protocol, target }) => ({
        name: portName,
        protocol,
        port: target,
      })),
    },
  ];
}
