import { describe, expect, test } from "vitest";
import { changed } from "../../../test/support/found.ts";
import { configProblems } from "../../config/model/validate.ts";
import { discover } from "./discover.ts";
import { adopted, configOf, container, management, type Next, pod } from "./keeps.fixture.ts";

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
