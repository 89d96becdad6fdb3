import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { RouterName } from "../core/router-names.ts";
import { BlueGreenModel, type BlueGreenModelArgs } from "../index.ts";
import { awaited } from "./provider.ts";
import { custom } from "./servers/custom.ts";
import { mlserver } from "./servers/mlserver.ts";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: { readonly metadata: Record<string, unknown>; readonly spec: Record<string, unknown> };
  readonly provider: string | undefined;
}

let registered: Registered[] = [];
let ingressStatus: unknown;

beforeEach(async () => {
  registered = [];
  ingressStatus = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
  await pulumi.runtime.setMocks({
    call: (args) => args.inputs,
    newResource: (args) => {
      registered.push({ type: args.type, name: args.name, inputs: args.inputs, provider: args.provider });
      const status =
        args.type.endsWith(":Ingress") && ingressStatus !== undefined ? { status: ingressStatus } : {};
      return { id: `${args.name}-id`, state: { ...args.inputs, ...status } };
    },
  });
});

const seed: BlueGreenModelArgs = {
  namespace: "ml",
  slots: { blue: {}, green: {} },
  live: "blue",
  ingress: { host: "mlmodels.example.com" },
};

const lastIngress: Readonly<Partial<Record<NonNullable<BlueGreenModelArgs["router"]>, string>>> = {
  nginx: "fraud-canary",
  "haproxy-tech": "fraud-preview",
};

/** Makes the model and waits until everything in it is registered. */
async function make(
  args: BlueGreenModelArgs,
  opts: pulumi.ComponentResourceOptions = {},
): Promise<BlueGreenModel> {
  const model = new BlueGreenModel("fraud", args, opts);
  // The last object depends on all others.
  const last = lastIngress[args.router ?? "nginx"] ?? "fraud";
  await vi.waitUntil(() => registered.some(({ type, name }) => type.endsWith(":Ingress") && name === last));
  return model;
}

const find = (type: string, name: string) => {
  const found = registered.find((resource) => resource.type.endsWith(`:${type}`) && resource.name === name);
  if (found === undefined)
    throw new Error(`no ${type} ${name} among ${registered.map((one) => one.name).join(", ")}`);
  return found;
};

describe("a model on its way to another router", () => {
  const besides = [
    { router: "traefik", ingress: { host: "mlmodels.example.com", className: "edge" } },
  ] as const;

  test("has the objects of both, its own as they were, in one routing", async () => {
    await make({ ...seed, live: "green" });
    const before = [find("Ingress", "fraud"), find("Ingress", "fraud-canary")].map(({ inputs }) => inputs);
    registered = [];
    await make({ ...seed, live: "green", besides });
    await vi.waitUntil(() => registered.some(({ type }) => type.endsWith(":TraefikService")));
    expect([find("Ingress", "fraud"), find("Ingress", "fraud-canary")].map(({ inputs }) => inputs)).toEqual(
      before,
    );
    expect(find("IngressRoute", "fraud").inputs.spec.ingressClassName).toBe("edge");
    expect(find("TraefikService", "fraud").inputs.spec).toMatchObject({
      weighted: { services: [{ name: "fraud-green", weight: 100 }] },
    });
  });

  test("cannot have two owners of one object, or what the other router cannot do", () => {
    const of = (beside: NonNullable<BlueGreenModelArgs["besides"]>[number]) => () =>
      new BlueGreenModel("fraud", { ...seed, besides: [beside] });
    expect(of({ router: "plain", ingress: { host: "mlmodels.example.com" } })).toThrow("Ingress fraud");
    expect(of({ router: "traefik", ingress: { host: "mlmodels.example.com", timeout: 5 } })).toThrow(
      "timeout",
    );
  });
});

describe("BlueGreenModel in the seed's form", () => {
  test("has two Services, a main and a canary Ingress, and nothing else", async () => {
    await make(seed);
    expect(registered.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort()).toEqual([
      "BlueGreenModel fraud",
      "Ingress fraud",
      "Ingress fraud-canary",
      "Service fraud-blue",
      "Service fraud-green",
    ]);
    expect(registered[0]?.type).toBe("modelswitch:index:BlueGreenModel");
  });

  test.each([
    ["haproxy", ["Service fraud-union", "Ingress fraud"]],
    [
      "haproxy-tech",
      [
        "Service fraud-shift",
        "Service fraud-preview",
        "Ingress fraud",
        "Ingress fraud-shift",
        "Ingress fraud-preview",
      ],
    ],
  ] as const)(
    "makes the Services of the router %s before what leads to them, as the SDK types them",
    async (router, objects) => {
      await make({ ...seed, router, ingress: { ...seed.ingress, className: "haproxy" } });
      const made = registered.filter(
        ({ name, type }) => !/blue|green/.test(name) && type.startsWith("kubernetes:"),
      );
      expect(made.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)).toEqual(objects);
      expect(new Set(made.map(({ type }) => type))).toEqual(
        new Set(["kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:Ingress"]),
      );
    },
  );

  test("gives every object its name, so that a killed run leaves no orphans", async () => {
    await make(seed);
    for (const { type, name, inputs } of registered) {
      if (!type.includes("BlueGreenModel")) expect(inputs.metadata).toMatchObject({ name, namespace: "ml" });
    }
  });

  test("selects pods by app and version, on port 80", async () => {
    await make(seed);
    expect(find("Service", "fraud-green").inputs.spec).toEqual({
      type: "ClusterIP",
      selector: { app: "fraud", version: "green" },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    });
  });

  test("takes other selectors for people who run their own pods", async () => {
    const selector = { app: "ml-model", colour: "b" };
    await make({ ...seed, slots: { blue: { selector }, green: { selector: { ...selector, colour: "g" } } } });
    expect(find("Service", "fraud-blue").inputs.spec).toMatchObject({ selector });
  });

  test("labels its objects", async () => {
    await make(seed);
    expect(find("Service", "fraud-blue").inputs.metadata).toMatchObject({
      labels: {
        app: "fraud",
        version: "blue",
        "app.kubernetes.io/name": "fraud",
        "app.kubernetes.io/instance": "fraud",
        "app.kubernetes.io/managed-by": "modelswitch",
      },
    });
  });

  test("switches by the main Ingress's backend", async () => {
    await make({ ...seed, live: "green", router: "plain" });
    expect(backendOf("fraud")).toBe("fraud-green");
    expect(registered.some(({ name }) => name === "fraud-canary")).toBe(false);
  });

  test("writes a routing on its way", async () => {
    await make({ ...seed, routing: { main: "blue", candidate: "green", weight: 100 } });
    expect(backendOf("fraud")).toBe("fraud-blue");
    expect(backendOf("fraud-canary")).toBe("fraud-green");
    expect(find("Ingress", "fraud-canary").inputs.metadata.annotations).toMatchObject({
      "nginx.ingress.kubernetes.io/canary-weight": "100",
      "pulumi.com/skipAwait": "true",
    });
  });

  test("takes values that are not known before it runs", async () => {
    await make({
      ...seed,
      namespace: pulumi.output("later"),
      ingress: { host: pulumi.output("h.example.com") },
    });
    expect(find("Ingress", "fraud").inputs.metadata).toMatchObject({ namespace: "later" });
    expect(find("Ingress", "fraud").inputs.spec).toMatchObject({ rules: [{ host: "h.example.com" }] });
  });

  test("uses the explicit provider for everything", async () => {
    const provider = new k8s.Provider("elsewhere", { kubeconfig: "{}" });
    await make(seed, { provider });
    for (const name of ["fraud-blue", "fraud-green"]) {
      expect(find("Service", name).provider).toContain("elsewhere");
    }
    expect(find("Ingress", "fraud").provider).toContain("elsewhere");
  });
});

describe("a slot with an image", () => {
  const args: BlueGreenModelArgs = {
    ...seed,
    server: mlserver({ modelName: "fraud" }),
    slots: {
      blue: {
        image: "registry.example.com/fraud:1.4",
        replicas: 3,
        env: { MLSERVER_HTTP_PORT: "8080", LOG: pulumi.output("debug") },
        resources: { requests: { cpu: "1" }, limits: { memory: "2Gi" } },
        release: 7,
      },
      green: {},
    },
  };

  test("has a Deployment, the other slot none", async () => {
    const model = await make(args);
    expect(registered.filter(({ type }) => type.endsWith(":Deployment")).map(({ name }) => name)).toEqual([
      "fraud-blue",
    ]);
    expect(model.slots.green.deploymentName).toBeUndefined();
    expect(model.slots.blue.release).toBe(7);
    expect(find("Deployment", "fraud-blue").inputs.metadata).toMatchObject({
      name: "fraud-blue",
      labels: { "modelswitch.dev/release": "7" },
    });
  });

  test("is never short of a replica while it is updated", async () => {
    await make(args);
    expect(find("Deployment", "fraud-blue").inputs.spec).toMatchObject({
      replicas: 3,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
      progressDeadlineSeconds: 660,
    });
  });

  test("has pods with the selector's labels, and no rights that a model server doesn't need", async () => {
    await make(args);
    const { selector, template } = find("Deployment", "fraud-blue").inputs.spec as {
      selector: unknown;
      template: { metadata: unknown; spec: Record<string, unknown> };
    };
    expect(selector).toEqual({ matchLabels: { app: "fraud", version: "blue" } });
    expect(template.metadata).toMatchObject({
      labels: { app: "fraud", version: "blue", "app.kubernetes.io/managed-by": "modelswitch" },
    });
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 50,
    });
  });

  test("has the preset's container, and the slot's own settings over it", async () => {
    await make(args);
    const { template } = find("Deployment", "fraud-blue").inputs.spec as {
      template: { spec: { containers: Record<string, unknown>[] } };
    };
    expect(template.spec.containers).toHaveLength(1);
    expect(template.spec.containers[0]).toMatchObject({
      name: "model",
      image: "registry.example.com/fraud:1.4",
      imagePullPolicy: "IfNotPresent",
      ports: [
        { name: "http", containerPort: 8080 },
        { name: "grpc", containerPort: 8081 },
        { name: "metrics", containerPort: 8082 },
      ],
      env: expect.arrayContaining([
        { name: "MLSERVER_HTTP_PORT", value: "8080" },
        { name: "LOG", value: "debug" },
      ]),
      readinessProbe: { httpGet: { path: "/v2/health/ready", port: "http" } },
      livenessProbe: { httpGet: { path: "/v2/health/live", port: "http" } },
      startupProbe: { failureThreshold: 120, periodSeconds: 5 },
      lifecycle: { preStop: { sleep: { seconds: 35 } } },
      resources: { requests: { cpu: "1" }, limits: { memory: "2Gi" } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    });
  });
});

test("pods that take TLS are probed over it", async () => {
  await make({
    ...seed,
    server: custom({ readinessPath: "/ready", livenessPath: "/live" }),
    slots: { blue: { image: "fraud:1" }, green: {} },
    ingress: { ...seed.ingress, protocol: "https" },
  });
  const { template } = find("Deployment", "fraud-blue").inputs.spec as {
    template: { spec: { containers: Record<string, unknown>[] } };
  };
  const over = (path: string) => ({ httpGet: { path, port: "http", scheme: "HTTPS" } });
  expect(template.spec.containers[0]).toMatchObject({
    readinessProbe: over("/ready"),
    livenessProbe: over("/live"),
    startupProbe: over("/live"),
  });
});

describe("what belongs to a slot's pods", () => {
  const run = { image: "fraud:1", resources: { requests: { cpu: "1" } } };

  test("is there once per content, and once per slot that sizes itself", async () => {
    const configFiles = { "/etc/model/config.json": "{}" };
    await make({
      ...seed,
      slots: {
        blue: {
          ...run,
          configFiles,
          autoscaling: { min: 2, max: 4, labels: { team: "risk" }, annotations: { "a.b/c": "1" } },
        },
        green: { ...run, configFiles, replicas: 1 },
      },
    });
    const [map, ...others] = registered.filter(({ type }) => type.endsWith(":ConfigMap"));
    expect(others).toEqual([]);
    expect(map?.name).toMatch(/^fraud-config-/);
    expect(map?.inputs).toMatchObject({ immutable: true, metadata: { name: map?.name, namespace: "ml" } });
    expect(find("HorizontalPodAutoscaler", "fraud-blue").inputs.spec).toMatchObject({
      scaleTargetRef: { name: "fraud-blue" },
      minReplicas: 2,
      maxReplicas: 4,
    });
    expect(find("HorizontalPodAutoscaler", "fraud-blue").inputs.metadata).toMatchObject({
      labels: { team: "risk", app: "fraud", version: "blue" },
      annotations: { "a.b/c": "1" },
    });
    expect(find("PodDisruptionBudget", "fraud-blue").inputs.spec).toMatchObject({
      maxUnavailable: 1,
      selector: { matchLabels: { app: "fraud", version: "blue" } },
    });
    expect(
      registered.filter(({ name, type }) => name === "fraud-green" && /Autoscaler|Budget/.test(type)),
    ).toEqual([]);
  });

  test("contradictions are refused before anything is planned", () => {
    const blue = { ...run, replicas: 2, autoscaling: { min: 1, max: 2 } };
    expect(() => new BlueGreenModel("fraud", { ...seed, slots: { blue, green: {} } })).toThrow(
      'BlueGreenModel "fraud": slots.blue.replicas is given, and autoscaling too',
    );
    const ingress = { host: "h", timeout: 0 };
    expect(() => new BlueGreenModel("fraud", { ...seed, ingress })).toThrow("ingress.timeout is 0");
    expect(
      () =>
        new BlueGreenModel("fraud", {
          ...seed,
          router: "plain" as RouterName,
          ingress: { host: "h", timeout: 5 },
        }),
    ).toThrow(expect.objectContaining({ code: "capability-missing" }));
  });
});

describe("the outputs", () => {
  test("name what was made", async () => {
    const model = await make({
      ...seed,
      ingress: { host: "mlmodels.example.com", tls: [{ secretName: "cert" }] },
    });
    expect(await awaited(model.ingressName)).toBe("fraud");
    expect(await awaited(model.live)).toBe("blue");
    expect(await awaited(model.slots.green.serviceName)).toBe("fraud-green");
    expect(await awaited(model.url)).toBe("https://mlmodels.example.com/");
  });

  test("the endpoint is the address of the Ingress", async () => {
    expect(await awaited((await make(seed)).endpoint)).toBe("192.0.2.1");
  });

  test("the endpoint is undefined while the Ingress has no status", async () => {
    ingressStatus = undefined;
    expect(await awaited((await make(seed)).endpoint)).toBeUndefined();
  });
});

test("unit tests with Pulumi's mocks need no stub, although the mocks know no hooks", async () => {
  expect("registerResourceHook" in (pulumi.runtime.getMonitor() ?? {})).toBe(false);
  await expect(make({ ...seed, guard: true })).resolves.toBeInstanceOf(BlueGreenModel);
});

test("contradictions are refused before anything is registered", () => {
  expect(() => new BlueGreenModel("fraud", { ...seed, live: "purple" as "blue" })).toThrow(
    'live is "purple"',
  );
  expect(registered).toEqual([]);
});

function backendOf(ingress: string): unknown {
  const { rules } = find("Ingress", ingress).inputs.spec as {
    rules: { http: { paths: { backend: { service: { name: string } } }[] } }[];
  };
  return rules[0]?.http.paths[0]?.backend.service.name;
}
