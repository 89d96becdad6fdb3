import { describe, expect, test } from "vitest";
import { autoscalerSpec } from "./autoscaling.ts";
import { deploymentSpec } from "./deployment.ts";
import { disruptionBudgetSpec } from "./disruption.ts";
import { configMapData, configMapName, configMaps } from "./pod/config-files.ts";
import { versionsText } from "./pod/versions.ts";
import { custom } from "./servers/custom.ts";
import { backendPort, requireGrpcIdentity } from "./service-port.ts";

const selector = { app: "fraud", version: "blue" };
type Slot = Omit<Parameters<typeof deploymentSpec>[2], "image">;
const spec = (slot: Slot = {}) =>
  // Without outputs among the arguments there are none in the result.
  deploymentSpec("fraud", selector, { image: "fraud:1", ...slot }, custom()) as unknown as {
    replicas?: number;
    template: {
      metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
      spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
    };
  };
const pod = (slot: Slot = {}) => spec(slot).template.spec;
const container = (slot: Slot = {}) => pod(slot).containers[0];

describe("the pods of a slot", () => {
  test("are safe by default, in ways that break no ordinary image", () => {
    expect(pod()).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(container()).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    });
    for (const key of ["volumes", "initContainers", "tolerations", "serviceAccountName"])
      expect(pod()).not.toHaveProperty(key);
    expect(spec().template.metadata).not.toHaveProperty("annotations");
  });

  test("have what the user says over that, key by key", () => {
    const slot = {
      securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: true },
      pod: { securityContext: { fsGroup: 1000 }, mountServiceAccountToken: true },
    };
    expect(container(slot)?.securityContext).toEqual({
      allowPrivilegeEscalation: true,
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
    });
    expect(pod(slot)).toMatchObject({
      automountServiceAccountToken: true,
      securityContext: { seccompProfile: { type: "RuntimeDefault" }, fsGroup: 1000 },
    });
  });

  test("get variables from texts, Secrets and ConfigMaps", () => {
    const env = {
      A: "1",
      B: { secret: "s", key: "k" },
      C: { configMap: "c", key: "k", optional: true },
    };
    expect(container({ env })?.env).toEqual([
      { name: "A", value: "1" },
      { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      { name: "C", valueFrom: { configMapKeyRef: { name: "c", key: "k", optional: true } } },
    ]);
  });

  test("get whole GPUs as limits, beside other amounts", () => {
    expect(container({ gpus: 2, resources: { limits: { memory: "8Gi" } } })?.resources).toEqual({
      limits: { memory: "8Gi", "nvidia.com/gpu": "2" },
    });
    expect(container({ gpus: { count: 1, resource: "amd.com/gpu" } })?.resources).toEqual({
      limits: { "amd.com/gpu": "1" },
    });
  });

  test("run where and as whom the user says", () => {
    const slot: Slot = {
      pod: {
        labels: { team: "fraud", app: "other" },
        annotations: { "prometheus.io/scrape": "true" },
        nodeSelector: { disk: "fast" },
        tolerations: [{ key: "gpu", operator: "Exists" }],
        topologySpread: [{ topologyKey: "topology.kubernetes.io/zone" }],
        serviceAccount: "fraud",
        priorityClass: "high",
        runtimeClass: "nvidia",
        imagePullSecrets: ["registry"],
        containers: [{ name: "proxy", image: "proxy:1" }],
        initContainers: [{ name: "warm", image: "warm:1" }],
        volumes: [{ name: "cache", emptyDir: {} }],
      },
      volumeMounts: [{ name: "cache", mountPath: "/cache" }],
      model: { uri: "s3://b/m" },
    };
    const { template } = spec(slot);
    expect(template.metadata).toMatchObject({
      labels: { team: "fraud", ...selector },
      annotations: { "prometheus.io/scrape": "true" },
    });
    expect(template.spec).toMatchObject({
      nodeSelector: { disk: "fast" },
      tolerations: [{ key: "gpu", operator: "Exists" }],
      topologySpreadConstraints: [
        {
          topologyKey: "topology.kubernetes.io/zone",
          maxSkew: 1,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: selector },
        },
      ],
      serviceAccountName: "fraud",
      priorityClassName: "high",
      runtimeClassName: "nvidia",
      imagePullSecrets: [{ name: "registry" }],
      containers: [{ name: "model" }, { name: "proxy" }],
      // The model is there before anything of the user's runs.
      initContainers: [{ name: "fetch-model" }, { name: "warm" }],
      volumes: [{ name: "model" }, { name: "cache" }],
    });
    expect(container(slot)?.volumeMounts).toMatchObject([{ name: "model" }, { name: "cache" }]);
  });

  test("are replaced when the version of something they refer to changes, in whatever order it is given", () => {
    const annotations = (versions: Record<string, string>) =>
      spec({ versions: versionsText(versions) }).template.metadata.annotations;
    expect(annotations({ "secret/b": "2", "configmap/a": "1" })).toEqual({
      "modelswitch.dev/versions": "configmap/a=1 secret/b=2",
    });
    expect(annotations({ "configmap/a": "1", "secret/b": "2" })).toEqual(
      annotations({ "secret/b": "2", "configmap/a": "1" }),
    );
  });
});

test("a server without HTTP is probed over gRPC, and its pods say what their answers have", () => {
  const grpcOnly = { method: "a.B/C", from: { kind: "field", path: "2" } } as const;
  const { template } = deploymentSpec(
    "fraud",
    selector,
    { image: "fraud:1", mark: "1.5" },
    custom({ port: 9000, grpcOnly }),
  ) as unknown as ReturnType<typeof spec>;
  expect(template.metadata.annotations).toEqual({ "modelswitch.dev/mark": "1.5" });
  const [model] = template.spec.containers;
  expect(model).toMatchObject({
    ports: [{ name: "grpc", containerPort: 9000 }],
    readinessProbe: { grpc: { port: 9000 } },
  });
  expect(model?.readinessProbe).not.toHaveProperty("httpGet");
  expect(model).not.toHaveProperty("livenessProbe");
});

test("a server without HTTP is restarted for what its health service says of the service named", () => {
  const grpcOnly = { method: "a.B/C", from: { kind: "field", path: "2" } } as const;
  const container = (services: Parameters<typeof custom>[0]) => {
    const { template } = deploymentSpec(
      "fraud",
      selector,
      { image: "fraud:1" },
      custom({ port: 9000, grpcOnly, ...services }),
    ) as unknown as ReturnType<typeof spec>;
    return template.spec.containers[0];
  };
  expect(container({ readinessService: "ready", livenessService: "live" })).toMatchObject({
    readinessProbe: { grpc: { port: 9000, service: "ready" } },
    livenessProbe: { grpc: { port: 9000, service: "live" } },
    startupProbe: { grpc: { port: 9000, service: "live" }, failureThreshold: 120 },
  });
  expect(container({ livenessService: "" })?.livenessProbe).toMatchObject({ grpc: { port: 9000 } });
});

describe("the number of replicas", () => {
  test("is not said where an autoscaler decides it, unless the slot is empty", () => {
    const autoscaling = { min: 2, max: 5 };
    expect(spec().replicas).toBe(1);
    expect(spec({ autoscaling })).not.toHaveProperty("replicas");
    expect(spec({ autoscaling, replicas: 0 }).replicas).toBe(0);
  });

  test("follows CPU where nothing else is said", () => {
    expect(autoscalerSpec("fraud-blue", { min: 2, max: 5 })).toEqual({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "fraud-blue" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
        },
      ],
    });
    expect(autoscalerSpec("fraud-blue", { min: 1, max: 2, memory: 70 }).metrics).toHaveLength(1);
    const own = { type: "External", external: {} };
    expect(autoscalerSpec("fraud-blue", { min: 1, max: 2, metrics: [own] }).metrics).toEqual([own]);
  });

  test("may be one less during a node drain; a single replica never keeps a node", () => {
    expect(disruptionBudgetSpec(undefined, 2, selector)).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: selector },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
    expect(disruptionBudgetSpec(undefined, 1, selector)).toBeUndefined();
    expect(disruptionBudgetSpec({ minAvailable: 1 }, 0, selector)).toBeUndefined();
    expect(disruptionBudgetSpec(false, 3, selector)).toBeUndefined();
    expect(disruptionBudgetSpec({ maxUnavailable: "50%" }, 4, selector)).toMatchObject({
      maxUnavailable: "50%",
    });
  });
});

describe("config files", () => {
  const files = { "/etc/model/config.json": "{}", "/etc/model.json": "1" };

  test("have a name of their content, whatever their order, and are one object for both slots", () => {
    const name = configMapName("fraud", files);
    expect(name).toMatch(/^fraud-config-[0-9a-f]{10}$/);
    expect(configMapName("fraud", Object.fromEntries(Object.entries(files).reverse()))).toBe(name);
    expect(configMapName("fraud", { ...files, "/etc/model.json": "2" })).not.toBe(name);
    expect([...configMaps("fraud", () => files).keys()]).toEqual([name]);
    expect(configMaps("fraud", (slot) => (slot === "blue" ? files : { "/x": "" })).size).toBe(2);
    expect(configMaps("fraud", () => ({})).size).toBe(0);
  });

  test("are mounted one by one, by valid keys", () => {
    const data = configMapData(files);
    expect(Object.values(data)).toEqual(["{}", "1"]);
    for (const key of Object.keys(data)) expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
    const mounts = container({ configFiles: files })?.volumeMounts as {
      subPath: string;
      mountPath: string;
    }[];
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual(Object.keys(files));
    expect(mounts.map(({ subPath }) => subPath)).toEqual(Object.keys(data));
  });

  test("Secrets are folders, each a volume once", () => {
    const secrets = [
      { secret: "tls", mountPath: "/etc/tls" },
      { secret: "tls", mountPath: "/etc/tls2" },
    ];
    expect(pod({ secrets }).volumes).toEqual([{ name: "secret-0", secret: { secretName: "tls" } }]);
    expect(container({ secrets })?.volumeMounts).toHaveLength(2);
  });
});

test("a Service's port says the protocol, and leads to where the server speaks it", () => {
  expect(backendPort(undefined, 80, { httpPort: 8080, otherPorts: { grpc: 8081 } })).toEqual({
    name: "http",
    port: 80,
    targetPort: 8080,
  });
  expect(backendPort("grpc", 80, { httpPort: 8080, otherPorts: { grpc: 8081 } })).toEqual({
    name: "grpc",
    port: 80,
    targetPort: 8081,
  });
  expect(backendPort("grpc", 80, { httpPort: 9000, otherPorts: {} })).toEqual({
    name: "grpc",
    port: 80,
    targetPort: 9000,
  });
});

test("gRPC on a port of its own is refused where nothing could be proved there", () => {
  const server = { name: "mlserver", httpPort: 8080, otherPorts: { grpc: 8081 } };
  const identity = { path: "/version", from: { kind: "body" } } as const;
  expect(() => requireGrpcIdentity("grpc", server, identity)).toThrow(
    expect.objectContaining({ code: "grpc-identity-missing" }),
  );
  const grpc = { method: "a.B/C", from: { kind: "metadata", name: "version" } } as const;
  expect(() => requireGrpcIdentity("grpc", server, { ...identity, grpc })).not.toThrow();
  expect(() => requireGrpcIdentity("http", server, identity)).not.toThrow();
  expect(() => requireGrpcIdentity("grpc", { ...server, otherPorts: {} }, identity)).not.toThrow();
});
