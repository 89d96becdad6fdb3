import { describe, expect, test } from "vitest";
import { changed, foundInventory } from "../../../test/support/found.ts";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import { configProblems } from "../../config/model/validate.ts";
import { lostByConfig } from "./compare.ts";
import { type Described, describeFound } from "./describe.ts";
import { discover } from "./discover.ts";
import type { Discovered } from "./discovered.ts";
import { serverAsFound } from "./found-server.ts";
import type { Inventory } from "./inventory.ts";
import { nextDeployment } from "./losses.ts";

const pod = "deployments.0.spec.template.spec";
const container = `${pod}.containers.0`;

interface Next {
  readonly template: {
    readonly metadata: object;
    readonly spec: { readonly containers: readonly Readonly<Record<string, unknown>>[] };
  };
}

/** What runs, how it is described, and the Deployment of the next release. */
function adopted(inventory: Inventory) {
  const found = discover("fraud", "fraud", inventory);
  const described = describeFound(found, "fraud");
  const server = serverAsFound(described.server, "fraud");
  return {
    found,
    described,
    next: nextDeployment("fraud", found, described.release, server) as unknown as Next,
  };
}

/** As `init --from` writes it. */
function configOf({
  server,
  release,
  blue,
  green,
  ingress,
  servicePort,
  service,
  router,
}: Described): object {
  return {
    name: "fraud",
    server: serverAsFound(server, "fraud"),
    release,
    slots: { blue, green },
    ingress,
    servicePort,
    ...(service === undefined ? {} : { service }),
    router,
  };
}

/** The same without what only carrying over would know: as somebody writes it who names the objects and no more. */
function bare(found: Discovered, { blue, green, ingress, servicePort, server }: Described) {
  const release = { image: "reg.io/fraud:7", replicas: 2 };
  return lostByConfig(
    testConfig({
      server: serverAsFound(server, "fraud"),
      runs: { form: "template", release, idleReplicas: 0, slots: { blue, green } },
      ingress,
      servicePort,
    }),
    found,
  );
}

const management = {
  httpGet: { path: "/health", port: 9001, scheme: "HTTP" },
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};

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

/** Label names have dots and slashes, by which the path is cut. */
function withValue(path: string, value: unknown): Inventory {
  const [before = "", label] = path.split(".azure~");
  if (label === undefined) return changed(path, value);
  return changed(before, { app: "fraud", tier: "ml", [`azure.${label}`]: value });
}

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

describe("the Deployment of the next release", () => {
  const server = ({ template }: Next) => template.spec.containers[0] ?? {};

  test("asks its pods where they answered so far", () => {
    const { next } = adopted(changed(`${container}.readinessProbe`, management));
    expect(server(next)).toMatchObject({ readinessProbe: management });
    expect(server(next)).not.toHaveProperty("startupProbe");
  });

  test("keeps the names of ports, by which probes and Services may ask for them", () => {
    const { next } = adopted(
      changed(`${container}.livenessProbe`, { httpGet: { path: "/live", port: "web" } }),
    );
    expect(server(next).ports).toContainEqual({ name: "web", containerPort: 9000, protocol: "TCP" });
    // Times that nobody chose are modelswitch's; its probes ask for a port by a name that is not there.
    expect(server(next)).toMatchObject({
      readinessProbe: { httpGet: { path: "/ready", port: 9000 }, periodSeconds: 2 },
      livenessProbe: { httpGet: { path: "/live", port: 9000 } },
      startupProbe: { httpGet: { path: "/live", port: 9000 } },
    });
  });

  test("defines what other variables refer to before them", () => {
    const ip = { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };
    const { next } = adopted(changed(`${container}.env`, [ip, { name: "URL", value: "http://$(IP)" }]));
    expect(server(next).env).toEqual([ip, { name: "URL", value: "http://$(IP)" }]);
  });

  test("reads the amounts of the container by its name then", () => {
    const of = (containerName: string) => ({
      resourceFieldRef: { containerName, resource: "limits.memory" },
    });
    const volume = (containerName: string) => ({
      name: "about",
      downwardAPI: { items: [{ path: "memory", ...of(containerName) }] },
    });
    const { described, next } = adopted(
      changed(
        `${pod}.volumes`,
        [volume("server")],
        changed(`${container}.env.1`, { name: "MEMORY", valueFrom: of("server") }),
      ),
    );
    expect(described.unsaid).toEqual([]);
    expect(described.release.pod?.volumes).toEqual([volume("model")]);
    expect(server(next).env).toContainEqual({ name: "MEMORY", valueFrom: of("model") });
  });

  test("leaves the half of a life cycle that nobody said to modelswitch", () => {
    const postStart = { exec: { command: ["warm"] } };
    const { next } = adopted(changed(`${container}.lifecycle`, { postStart }));
    expect(server(next)).toMatchObject({ lifecycle: { postStart, preStop: { sleep: { seconds: 10 } } } });
  });

  test("mounts the token of an account of its own", () => {
    expect(adopted(changed(`${pod}.serviceAccountName`, "ml")).described.release.pod).toEqual({
      labels: { tier: "ml" },
      serviceAccount: "ml",
      mountServiceAccountToken: true,
    });
    const without = changed(
      `${pod}.automountServiceAccountToken`,
      false,
      changed(`${pod}.serviceAccountName`, "ml"),
    );
    expect(adopted(without).described.release.pod).not.toHaveProperty("mountServiceAccountToken");
  });

  test("names the container in annotations as it is called then", () => {
    const annotations = {
      "kubectl.kubernetes.io/default-container": "server",
      "container.apparmor.security.beta.kubernetes.io/server": "runtime/default",
      "ad.datadoghq.com/server.logs": "[]",
      "kubectl.kubernetes.io/restartedAt": "2026-01-01",
    };
    const { described } = adopted(changed("deployments.0.spec.template.metadata.annotations", annotations));
    expect(described.release.pod?.annotations).toEqual({
      "kubectl.kubernetes.io/default-container": "model",
      "container.apparmor.security.beta.kubernetes.io/model": "runtime/default",
      "ad.datadoghq.com/model.logs": "[]",
    });
    expect(described.unsaid).toEqual([]);
  });
});

describe("the routing", () => {
  test.each([
    ["the controller's default certificate", [{ hosts: ["models.acme.io"] }]],
    ["a certificate for every host", [{ secretName: "cert", hosts: [] }]],
    ["both", [{ hosts: ["models.acme.io"] }, { hosts: ["other.acme.io"], secretName: "other" }]],
  ])("keeps %s", (_what, tls) => {
    const { described } = adopted(changed("ingresses.0.spec.tls", tls));
    expect(described.ingress.tls).toEqual(tls);
    expect(configProblems(configOf(described))).toEqual([]);
  });

  test("annotations of canaries that say nothing are left out by name", () => {
    const prefix = "nginx.ingress.kubernetes.io";
    const { found, described } = adopted(
      changed("ingresses.0.metadata.annotations", {
        [`${prefix}/canary`]: "false",
        [`${prefix}/canary-weight`]: "0",
        [`${prefix}/proxy-body-size`]: "8m",
      }),
    );
    expect(found.leftovers).toEqual([`${prefix}/canary: false`, `${prefix}/canary-weight: 0`]);
    expect(described.ingress.annotations).toEqual({ [`${prefix}/proxy-body-size`]: "8m" });
    expect(configProblems(configOf(described))).toEqual([]);
  });
});

describe("what stands beside the pods", () => {
  const budget = (matchLabels: object) => ({
    metadata: { name: "keep" },
    spec: { selector: { matchLabels }, minAvailable: 1 },
  });

  test("green gets what somebody's budget says", () => {
    const { found, described } = adopted(changed("budgets", [budget({ app: "fraud" })]));
    expect(found.budget?.metadata?.name).toBe("keep");
    expect(described.release.disruptionBudget).toEqual({ minAvailable: 1 });
    const wide = adopted(changed("budgets", [budget({ tier: "ml" })]));
    expect(wide.described.release.disruptionBudget).toBe(false);
    expect(adopted(changed("budgets", [budget({ app: "x" })])).found.budget).toBeUndefined();
  });

  test("a NetworkPolicy that would hold for blue alone is told", () => {
    const policy = (matchLabels: object) => ({
      metadata: { name: "db" },
      spec: { podSelector: { matchLabels } },
    });
    const text = (matchLabels: object) =>
      discover("fraud", "fraud", changed("networkPolicies", [policy(matchLabels)])).warnings.join("\n");
    expect(text({ app: "fraud" })).toContain("NetworkPolicy db holds for the pods that run");
    for (const labels of [{}, { tier: "ml" }, { app: "x" }])
      expect(text(labels)).not.toContain("NetworkPolicy");
  });

  test("an address of the Service's own is told", () => {
    const { found, described } = adopted(
      changed("services.0.spec", {
        type: "NodePort",
        selector: { app: "fraud" },
        ports: [{ name: "web", port: 8000, targetPort: "web", nodePort: 30080 }],
      }),
    );
    expect(found.warnings.join("\n")).toContain("is of type NodePort");
    expect(described.service).toEqual({
      kubernetes: { ports: [{ name: "web", port: 8000, targetPort: "web" }] },
    });
  });
});
