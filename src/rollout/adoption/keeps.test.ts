import { describe, expect, test } from "vitest";
import { changed, foundInventory } from "../../../test/support/found.ts";
import { configProblems } from "../../config/model/validate.ts";
import { adopted, bare, configOf, container, management, pod, withValue } from "./keeps.fixture.ts";

/** [what, where it is found, its value, what a configuration without it loses] */
const kept: readonly (readonly [string, string, unknown, string])[] = [
  [
    "workload identity",
    "deployments.0.spec.template.metadata.labels.azure~workload/use",
    "true",
    "pod label",
  ],
  [
    "mesh injection",
    "deployments.0.spec.template.metadata.annotations",
    { "sidecar.istio.io/inject": "true" },
    "pod annotation sidecar.istio.io/inject",
  ],
  ["a probe on a management port", `${container}.readinessProbe`, management, "container.readinessProbe"],
  [
    "a probe by a command",
    `${container}.readinessProbe`,
    { exec: { command: ["ok"] } },
    "container.readinessProbe",
  ],
  ["a probe by TCP", `${container}.livenessProbe`, { tcpSocket: { port: 9000 } }, "container.livenessProbe"],
  [
    "a probe with patience",
    `${container}.readinessProbe`,
    { httpGet: { path: "/ready", port: 9000 }, timeoutSeconds: 30 },
    "container.readinessProbe",
  ],
  [
    "a probe with headers",
    `${container}.readinessProbe`,
    { httpGet: { path: "/ready", port: 9000, httpHeaders: [{ name: "a", value: "b" }] } },
    "container.readinessProbe",
  ],
  [
    "a startup probe",
    `${container}.startupProbe`,
    { httpGet: { path: "/ready", port: "web" }, failureThreshold: 90 },
    "container.startupProbe",
  ],
  [
    "a life cycle",
    `${container}.lifecycle`,
    { preStop: { exec: { command: ["drain"] } } },
    "container.lifecycle",
  ],
  [
    "variables from a Secret",
    `${container}.env.1`,
    { name: "KEY", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    "container.env[KEY]",
  ],
  [
    "variables from the pod",
    `${container}.env.1`,
    { name: "IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } } },
    "container.env[IP]",
  ],
  [
    "all of a ConfigMap",
    `${container}.envFrom`,
    [{ configMapRef: { name: "settings" } }],
    "container.envFrom[0]",
  ],
  ["a command", `${container}.command`, ["serve"], "container.command[0]"],
  ["a working folder", `${container}.workingDir`, "/srv", "container.workingDir"],
  [
    "a privileged container",
    `${container}.securityContext`,
    { privileged: true },
    "container.securityContext.privileged",
  ],
  [
    "claims of devices",
    `${container}.resources`,
    { requests: { cpu: "1" }, claims: [{ name: "gpu" }] },
    "container.resources",
  ],
  [
    "a sidecar",
    `${pod}.containers.1`,
    { name: "proxy", image: "p:1", ports: [{ containerPort: 15001, protocol: "TCP" }] },
    "pod.containers[proxy]",
  ],
  [
    "init containers",
    `${pod}.initContainers`,
    [{ name: "wait", image: "w:1", restartPolicy: "Always" }],
    "pod.initContainers[wait]",
  ],
  [
    "volumes",
    `${pod}.volumes`,
    [
      { name: "model", configMap: { name: "m", defaultMode: 420 } },
      { name: "tmp", emptyDir: {} },
    ],
    "pod.volumes[model]",
  ],
  ["a service account", `${pod}.serviceAccountName`, "ml", "pod.serviceAccountName"],
  [
    "a pod's security",
    `${pod}.securityContext`,
    { fsGroup: 1000, runAsNonRoot: true },
    "pod.securityContext.fsGroup",
  ],
  [
    "tolerations",
    `${pod}.tolerations`,
    [{ key: "gpu", operator: "Exists", effect: "NoSchedule" }],
    "pod.tolerations[0]",
  ],
  [
    "tolerations of later versions",
    `${pod}.tolerations`,
    [{ key: "gpu", operator: "Gt", value: "3" }],
    "pod.tolerations[0]",
  ],
  ["a node selector", `${pod}.nodeSelector`, { disk: "ssd" }, "pod.nodeSelector"],
  [
    "affinity",
    `${pod}.affinity`,
    {
      nodeAffinity: {},
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "h", labelSelector: { matchLabels: { app: "fraud" } } },
        ],
      },
    },
    "pod.affinity",
  ],
  [
    "spreading",
    `${pod}.topologySpreadConstraints`,
    [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "fraud" } },
        minDomains: 2,
      },
    ],
    "pod.topologySpreadConstraints[0]",
  ],
  ["host aliases", `${pod}.hostAliases`, [{ ip: "10.0.0.1", hostnames: ["db"] }], "pod.hostAliases[0]"],
  ["DNS", `${pod}.dnsConfig`, { options: [{ name: "ndots", value: "1" }] }, "pod.dnsConfig"],
  ["DNS of the host", `${pod}.dnsPolicy`, "Default", "pod.dnsPolicy"],
  ["the host's network", `${pod}.hostNetwork`, true, "pod.hostNetwork"],
  ["shared processes", `${pod}.shareProcessNamespace`, true, "pod.shareProcessNamespace"],
  ["a scheduler", `${pod}.schedulerName`, "volcano", "pod.schedulerName"],
  ["a long end", `${pod}.terminationGracePeriodSeconds`, 600, "pod.terminationGracePeriodSeconds"],
  ["readiness gates", `${pod}.readinessGates`, [{ conditionType: "lb" }], "pod.readinessGates[0]"],
  ["pull secrets", `${pod}.imagePullSecrets`, [{ name: "registry" }], "pod.imagePullSecrets[registry]"],
  ["a priority", `${pod}.priorityClassName`, "high", "pod.priorityClassName"],
  ["a runtime", `${pod}.runtimeClassName`, "gvisor", "pod.runtimeClassName"],
  ["a strategy", "deployments.0.spec.strategy", { type: "Recreate" }, "spec.strategy"],
  ["patience", "deployments.0.spec.minReadySeconds", 20, "spec.minReadySeconds"],
  ["a long deadline", "deployments.0.spec.progressDeadlineSeconds", 3600, "spec.progressDeadlineSeconds"],
  [
    "a Service's annotations",
    "services.0.metadata.annotations",
    { "service.kubernetes.io/topology-mode": "Auto" },
    "service annotation service.kubernetes.io/topology-mode",
  ],
  ["a Service's labels", "services.0.metadata.labels", { monitored: "yes" }, "service label monitored"],
  ["a Service's affinity", "services.0.spec.sessionAffinity", "ClientIP", "service.sessionAffinity"],
  [
    "a Service's other ports",
    "services.0.spec.ports.1",
    { name: "metrics", port: 9090, targetPort: "metrics" },
    "service.ports[9090/TCP]",
  ],
  [
    "a protocol of a port",
    "services.0.spec.ports.0.appProtocol",
    "kubernetes.io/h2c",
    "service.ports[8000/TCP]",
  ],
];

describe("what runs is kept by the next release", () => {
  test.each(kept)("%s", (_what, path, value, _lost) => {
    const { found, described } = adopted(withValue(path, value));
    expect(described.unsaid).toEqual([]);
    expect(configProblems(configOf(described))).toEqual([]);
    void found;
  });

  test("all of it at once", () => {
    const all = kept
      .filter(([what]) => !/later versions|a probe (by a command|with)|DNS of/.test(what))
      .reduce((inventory, [, path, value]) => {
        const [before = "", label] = path.split(".azure~");
        return label === undefined
          ? changed(path, value, inventory)
          : changed(before, { app: "fraud", tier: "ml", [`azure.${label}`]: value }, inventory);
      }, foundInventory());
    const { described } = adopted(all);
    expect(described.unsaid).toEqual([]);
    expect(configProblems(configOf(described))).toEqual([]);
  });
});

describe("a configuration that does not say it", () => {
  test.each(kept)("loses %s, by name", (_what, path, value, lost) => {
    const { found, described } = adopted(withValue(path, value));
    expect(bare(found, described).join("\n")).toContain(lost);
  });

  test("loses the name of a port and nothing else, where there is nothing else", () => {
    const { found, described } = adopted(changed(`${container}.env`, []));
    expect(bare(found, described)).toEqual([
      "container.ports[9000/TCP].name",
      "container.resources",
      "service.ports[8000/TCP].name",
    ]);
  });
});
