import { describe, expect, test } from "vitest";
import { changed, foundInventory, foundScaler } from "../../../test/support/found.ts";
import { templateConfig } from "../../../test/support/release-bench.ts";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import { autoscalerSpec } from "../../component/autoscaling.ts";
import type { ReleaseTemplate } from "../../config/model/types.ts";
import { compareWithConfig, lostByConfig, notConfigured } from "./compare.ts";
import { type Described, describeFound } from "./describe.ts";
import { discover } from "./discover.ts";
import type { Inventory } from "./inventory.ts";
import { adoptionLines } from "./plan-lines.ts";

const described = (inventory: Inventory = foundInventory()) =>
  describeFound(discover("fraud", "fraud", inventory), "fraud");
const container = "deployments.0.spec.template.spec.containers.0";

describe("describeFound", () => {
  test("says what runs in the words of the configuration", () => {
    expect(described()).toEqual({
      server: {
        port: 9000,
        otherPorts: { metrics: 9090 },
        http: true,
        readinessPath: "/ready",
        livenessPath: undefined,
      },
      release: {
        image: "reg.io/fraud:7",
        replicas: 2,
        env: { LEVEL: "info" },
        resources: { requests: { cpu: "500m", memory: "1Gi" } },
        pod: { labels: { tier: "ml" } },
        // Probes, Services and monitors may ask for a port by its name.
        kubernetes: {
          container: {
            ports: [
              { name: "web", containerPort: 9000, protocol: "TCP" },
              { name: "metrics", containerPort: 9090, protocol: "TCP" },
            ],
          },
        },
      },
      blue: { deployment: "fraud-server", service: "fraud-api", selector: { app: "fraud" } },
      green: { selector: { app: "fraud-green", version: "green" } },
      ingress: {
        name: "fraud",
        host: "models.acme.io",
        annotations: { "nginx.ingress.kubernetes.io/proxy-body-size": "8m" },
      },
      servicePort: 8000,
      router: "nginx",
      service: {
        kubernetes: { ports: [{ name: "web", port: 8000, targetPort: "web", protocol: "TCP" }] },
      },
      unsaid: [],
      gained: [
        "no privilege escalation",
        "no Linux capabilities",
        "the runtime's seccomp profile",
        "no token of the default ServiceAccount",
        "no variables for the namespace's Services",
        "a pause before they end",
      ],
    });
  });

  test("keeps what is not the default: class, path, certificates, pull policy, arguments", () => {
    const inventory = changed(
      "ingresses.0.spec.tls",
      [{ hosts: ["models.acme.io"], secretName: "cert" }],
      changed(
        "ingresses.0.spec.rules.0.http.paths.0.path",
        "/fraud",
        changed(`${container}.imagePullPolicy`, "Always", changed(`${container}.args`, ["--fast"])),
      ),
    );
    expect(described(inventory)).toMatchObject({
      release: { imagePullPolicy: "Always", args: ["--fast"] },
      ingress: { path: "/fraud", tls: [{ hosts: ["models.acme.io"], secretName: "cert" }] },
    });
  });

  test("pods behind an Ingress that speaks TLS with them are asked over TLS, too", () => {
    const inventory = changed("ingresses.0.metadata.annotations", {
      "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
      keep: "me",
    });
    expect(described(inventory).ingress).toMatchObject({ protocol: "https", annotations: { keep: "me" } });
    expect(Object.keys(described(inventory).ingress.annotations ?? {})).toEqual(["keep"]);
  });

  describe("without HTTP", () => {
    const spoken = (probe: object, image: string) =>
      described(
        changed(
          "ingresses.0.metadata.annotations",
          { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" },
          changed(`${container}.readinessProbe`, probe, changed(`${container}.image`, image)),
        ),
      );

    test.each([
      ["reg.io:5000/fraud:7", "7"],
      ["reg.io:5000/fraud:7@sha256:00", "7"],
      ["reg.io:5000/fraud@sha256:00", "1"],
      ["fraud", "1"],
    ])("the mark of %s is guessed as %s", (image, mark) => {
      const { release, ingress, unsaid } = spoken({ grpc: { port: 9000 } }, image);
      expect({ release, ingress, unsaid }).toMatchObject({
        release: { image, mark },
        ingress: { protocol: "grpc" },
        unsaid: [],
      });
    });
  });
});

describe("an autoscaler", () => {
  const utilization = (name: string, percent: number) => ({
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization: percent } },
  });
  const pods = { type: "Pods", pods: { metric: { name: "queue" }, target: { type: "AverageValue" } } };
  const scaled = (metrics: readonly object[], more: object = {}) =>
    described(changed("autoscalers.0", foundScaler({ metrics, ...more })));

  test("takes the place of the number of replicas", () => {
    const { release, blue } = scaled([utilization("cpu", 70)], { behavior: { scaleUp: {} } });
    expect(blue).toMatchObject({ autoscaler: "scale" });
    expect(release).toMatchObject({ autoscaling: { min: 2, max: 6, cpu: 70, behavior: { scaleUp: {} } } });
    expect(release).not.toHaveProperty("replicas");
  });

  test.each([
    ["its shorthands in their order", [utilization("cpu", 70), utilization("memory", 80), pods]],
    ["any other order as it is", [utilization("memory", 80), utilization("cpu", 70)]],
    ["what has no shorthand as it is", [pods, utilization("cpu", 50)]],
    [
      "an amount instead of per cent",
      [{ type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "1" } } }],
    ],
  ])("written from the configuration it is the same again: %s", (_what, metrics) => {
    const { autoscaling } = scaled(metrics).release;
    expect(autoscaling && autoscalerSpec("fraud-server", autoscaling)).toMatchObject({
      minReplicas: 2,
      maxReplicas: 6,
      metrics,
    });
  });
});

/** The configuration that `init --from` writes, with the release changed. */
const template = (found: Described, changes: Partial<ReleaseTemplate> = {}) => {
  const { release, blue, green, ingress, servicePort } = found;
  return testConfig({
    runs: {
      form: "template",
      release: { ...release, ...changes },
      idleReplicas: 0,
      slots: { blue, green },
    },
    ingress,
    servicePort,
  });
};

describe("what others read of an autoscaler", () => {
  const scaler = {
    ...foundScaler(),
    metadata: {
      name: "scale",
      labels: { team: "risk", app: "fraud" },
      annotations: {
        "metric-config.pods.queue/path": "/metrics",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
      },
    },
  };
  const found = discover("fraud", "fraud", changed("autoscalers.0", scaler));

  test("green's has it, too: labels and annotations without those of tools", () => {
    const { release, unsaid } = describeFound(found, "fraud");
    expect(release.autoscaling).toEqual({
      ...{ min: 2, max: 6, cpu: 70 },
      labels: { team: "risk" },
      annotations: { "metric-config.pods.queue/path": "/metrics" },
    });
    expect(unsaid).toEqual([]);
  });

  test("a configuration without it loses it by name, and is no other size", () => {
    const described = describeFound(found, "fraud");
    const said = template(described, { autoscaling: { min: 2, max: 6, cpu: 70 } });
    expect(() => compareWithConfig(said, described, "ml")).not.toThrow();
    expect(lostByConfig(said, found).filter((one) => one.startsWith("autoscaler"))).toEqual([
      "autoscaler label team",
      "autoscaler annotation metric-config.pods.queue/path",
    ]);
  });
});

describe("the plan", () => {
  test("says that an autoscaler goes on", () => {
    const found = discover("fraud", "fraud", changed("autoscalers.0", foundScaler()));
    const text = adoptionLines(
      { name: "fraud", router: "nginx" },
      "ml",
      found,
      describeFound(found, "fraud"),
    ).join();
    expect(text).toContain("Deployment fraud-server: 2 replicas");
    expect(text).toContain("HorizontalPodAutoscaler scale: 2 to 6 replicas; goes on sizing fraud-server");
  });

  test("says what happens to each object, what is made, and how to go back", () => {
    const found = discover("fraud", "fraud", foundInventory());
    const text = adoptionLines({ name: "fraud", router: "nginx" }, "ml", found, {
      ...describeFound(found, "fraud"),
      unsaid: ["pod.volumes[tmp]"],
    }).join("\n");
    for (const part of [
      "Becomes blue of fraud in ml, with all the traffic of models.acme.io/",
      "Deployment fraud-server: 2 replicas of reg.io/fraud:7",
      "Service fraud-api: app=fraud, port 8000 to 9000",
      'its port "web" is written as 8000',
      "Deployment fraud-green with 0 replicas",
      "Ingress fraud-canary with weight 0",
      "`modelswitch adopt --undo`",
      "what the configuration does not say (pod.volumes[tmp])",
      "the container is called model in later releases",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("without canaries there is no canary Ingress", () => {
    const found = discover("fraud", "fraud", foundInventory());
    const lines = adoptionLines(
      { name: "fraud", router: "plain" },
      "ml",
      found,
      describeFound(found, "fraud"),
    );
    expect(lines.join()).not.toContain("fraud-canary");
  });
});

describe("compareWithConfig", () => {
  const config = (changes: object = {}, blue: object = {}) => {
    const { green, ingress, ...found } = described();
    const slots = { blue: { ...found.release, ...found.blue, ...blue }, green };
    return testConfig({
      runs: { form: "slots", slots },
      ingress,
      servicePort: found.servicePort,
      ...changes,
    });
  };
  test("a file that says what runs passes, also where it differs in what only later releases have", () => {
    expect(() => compareWithConfig(config(), described(), "ml")).not.toThrow();
    expect(() => compareWithConfig(config({}, { env: {} }), described(), "ml")).not.toThrow();
  });

  test.each([
    ["image", {}, { image: "reg.io/fraud:8" }, "slots.blue.image: reg.io/fraud:7 -> reg.io/fraud:8"],
    ["replicas", {}, { replicas: 1 }, "slots.blue.replicas: 2 -> 1"],
    ["host", { ingress: { name: "fraud", host: "other.acme.io" } }, {}, "ingress.host"],
    ["port", { servicePort: 80 }, {}, "servicePort: 8000 -> 80"],
  ])("another %s is refused: it would change what is live", (_what, changes, blue, part) => {
    expect(() => compareWithConfig(config(changes, blue), described(), "ml")).toThrow(part);
  });

  test("a template says what runs, too, beside the names", () => {
    const found = described();
    expect(() => compareWithConfig(template(found), found, "ml")).not.toThrow();
    expect(() => compareWithConfig(template(found, { image: "reg.io/fraud:8" }), found, "ml")).toThrow(
      "release.image: reg.io/fraud:7 -> reg.io/fraud:8",
    );
    const other = { ...found, blue: { ...found.blue, service: "other" } };
    expect(() => compareWithConfig(template(other), found, "ml")).toThrow(
      "slots.blue.service: fraud-api -> other",
    );
  });

  test("an autoscaler must be said as it is; the present number of replicas is its own affair", () => {
    const grown = { observedGeneration: 3, replicas: 4, updatedReplicas: 4, readyReplicas: 4 };
    const scaled = (maxReplicas: number) =>
      described(
        changed(
          "deployments.0.spec.replicas",
          4,
          changed("deployments.0.status", grown, changed("autoscalers.0", foundScaler({ maxReplicas }))),
        ),
      );
    const said = template(scaled(6));
    expect(() => compareWithConfig(said, scaled(6), "ml")).not.toThrow();
    expect(() => compareWithConfig(said, scaled(8), "ml")).toThrow("release.autoscaling.max: 8 -> 6");
    expect(() => compareWithConfig(config(), scaled(6), "ml")).toThrow("slots.blue.autoscaling");
  });

  test("a configuration without names has nothing to adopt", () => {
    expect(notConfigured(config())).toBe(false);
    expect(notConfigured(template(described()))).toBe(false);
    expect(notConfigured(testConfig())).toBe(true);
    expect(notConfigured(templateConfig())).toBe(true);
  });
});
