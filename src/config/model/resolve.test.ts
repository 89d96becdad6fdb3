import { describe, expect, test } from "vitest";
import { resolveConfig } from "./resolve.ts";
import type { ModelswitchConfig } from "./types.ts";

const around = {
  file: "/models/modelswitch.config.ts",
  kubeconfig: { path: "/k" },
  contextNamespace: "team",
};
const least: ModelswitchConfig = { name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } };

describe("resolveConfig", () => {
  test("fills in every default", () => {
    const resolved = resolveConfig(least, around);
    expect(resolved).toEqual({
      file: "/models/modelswitch.config.ts",
      folder: "/models",
      name: "fraud",
      environment: undefined,
      namespace: "team",
      server: expect.objectContaining({ name: "custom", httpPort: 8080 }),
      runs: { form: "template", release: { image: "a:1" }, idleReplicas: 0 },
      initialLive: "blue",
      ingress: { host: "a.b" },
      endpoints: [],
      controllerReplicas: 3,
      servicePort: 80,
      router: "nginx",
      previewHeader: "X-Modelswitch-Preview",
      identity: undefined,
      kubeconfig: { path: "/k" },
      pulumi: {
        project: "modelswitch-fraud",
        stack: "team",
        backendUrl: undefined,
        secretsProvider: undefined,
      },
      deadlines: { readyMs: 600_000, proofMs: 60_000 },
      rollout: {
        steps: [],
        capacity: "require",
        settleMs: 5_000,
        soakMs: 30_000,
        lastHoldMs: 0,
        drainMs: undefined,
        rollbackWindowMs: 600_000,
        warmUp: undefined,
        mode: { kind: "full" },
        approval: [],
        schedule: { timeZone: "UTC", windows: [], freezes: [] },
        hooks: [],
        gates: [
          {
            kind: "pods",
            name: "pods",
            phases: ["verify", "shadow", "shift", "soak"],
            everyMs: 2_000,
            failures: 2,
            onInconclusive: "hold",
          },
          {
            kind: "traffic",
            name: "traffic",
            phases: ["shift"],
            everyMs: 5_000,
            failures: 1,
            onInconclusive: "pass",
            byDefault: true,
            sources: undefined,
            latency: "found",
            weight: 1,
            alpha: 0.05,
            timeoutMs: 5_000,
          },
        ],
        alpha: 0.05,
        notifications: [],
      },
    });
  });

  test("the stack is default where neither file nor context names a namespace", () => {
    const resolved = resolveConfig(least, { ...around, contextNamespace: undefined });
    expect(resolved.namespace).toBeUndefined();
    expect(resolved.pulumi.stack).toBe("default");
  });

  test("with environments each has a stack of its name, unless the file says otherwise", () => {
    const environment = "production";
    expect(resolveConfig(least, { ...around, environment })).toMatchObject({
      environment,
      namespace: "team",
      pulumi: { project: "modelswitch-fraud", stack: "production" },
    });
    const named = { ...least, pulumi: { stack: "team" } };
    expect(resolveConfig(named, { ...around, environment }).pulumi.stack).toBe("team");
  });

  test("a preset by name serves the model of that name", () => {
    const { server } = resolveConfig({ ...least, server: "mlserver" }, around);
    expect(server.identity?.path).toBe("/v2/models/fraud");
  });

  test("endpoints are apart from what the Ingress says, without a slash at the end", () => {
    const resolved = resolveConfig(
      { ...least, ingress: { host: "a.b", endpoints: ["http://127.0.0.1:80/"] } },
      around,
    );
    expect(resolved.ingress).toEqual({ host: "a.b" });
    expect(resolved.endpoints).toEqual(["http://127.0.0.1:80"]);
  });

  test("both slots as given", () => {
    const slots = { blue: {}, green: { image: "b:2" } };
    const { runs } = resolveConfig({ name: "fraud", slots, ingress: { host: "a.b" } }, around);
    expect(runs).toEqual({ form: "slots", slots });
  });
});
