import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../config/model/resolve.ts";
import type { ModelswitchConfig } from "../../config/model/types.ts";
import type { Clock } from "../../core/clock.ts";
import { interrupted, UserError } from "../../core/errors.ts";
import { type ApiRequest, type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import type { Check } from "./check.ts";
import { type DoctorWorld, runChecks } from "./run-checks.ts";

const config: ModelswitchConfig = {
  name: "fraud",
  server: "mlserver",
  release: { image: "a:1" },
  ingress: { host: "models.acme.io" },
};

/** Deadlines never pass by themselves; `late` makes all pass at once. */
const clock = (late: boolean): Clock => ({
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(interrupted("A wait")), { once: true });
      if (late) setImmediate(resolve);
    }),
});

const unused = () => {
  throw new Error("not used");
};

function api(answer: (request: ApiRequest) => unknown): KubernetesApi {
  const json = async <T>(request: ApiRequest) => (await answer(request)) as T;
  return {
    server: "https://k:6443",
    json,
    find: (path, options) => json({ ...options, method: "GET", path }),
    request: unused,
    watch: unused,
  };
}

const healthy = (request: ApiRequest): unknown => {
  if (request.path === "/version") return { gitVersion: "v1.36.3" };
  if (request.path.endsWith("/selfsubjectaccessreviews")) return { status: { allowed: true } };
  if (request.path.endsWith("/ingressclasses")) {
    return { items: [{ metadata: { name: "nginx" }, spec: { controller: "k8s.io/ingress-nginx" } }] };
  }
  if (request.path.endsWith("/ingresses/fraud"))
    return { status: { loadBalancer: { ingress: [{ hostname: "lb.acme.io" }] } } };
  return { items: [] };
};

function world(kube: KubernetesApi, more: Partial<DoctorWorld> = {}): DoctorWorld {
  return {
    clock: clock(false),
    env: {},
    probe: async () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"versions":["7"]}',
    }),
    nodeVersion: "24.1.0",
    readConfig: async () => ({ file: "/models/modelswitch.config.ts", config }),
    connect: async () => ({ api: kube, context: "prod", namespace: "ml" }),
    resolve: (read, connection) =>
      resolveConfig(read.config, {
        file: read.file,
        kubeconfig: {},
        contextNamespace: connection?.namespace,
      }),
    pulumi: async () => ({
      found: { path: "/p", version: "v3", origin: "path" },
      sources: [],
      goInstalled: true,
    }),
    provider: async () => ({ installed: "/p", built: undefined, goInstalled: true }),
    machine: async () => ({
      programs: ["ip", "nsenter", "go", "apt-get"],
      host: { platform: "linux", userId: 0, refusal: undefined },
    }),
    lookup: async () => ["1.2.3.4"],
    ...more,
  };
}

const run = (checked: DoctorWorld, options: { signal?: AbortSignal; localCluster?: boolean } = {}) =>
  runChecks(checked, { signal: new AbortController().signal, localCluster: false, ...options });
const states = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ name, state }) => [name, state]));

describe("doctor", () => {
  test("finds nothing wrong where nothing is", async () => {
    expect(states(await run(world(api(healthy))))).toEqual({
      node: "ok",
      pulumi: "ok",
      "kubernetes-provider": "ok",
      config: "ok",
      kubeconfig: "ok",
      "api-server": "ok",
      namespace: "ok",
      permissions: "ok",
      router: "ok",
      "ingress-class": "ok",
      "ingress-guards": "ok",
      "ingress-answer": "ok",
      image: "ok",
      identity: "ok",
      host: "ok",
      dns: "ok",
      "shared-host": "ok",
      "local-cluster": "skipped",
    });
  });

  test("looks at the machine when asked to", async () => {
    expect(states(await run(world(api(healthy)), { localCluster: true }))["local-cluster"]).toBe("ok");
  });

  test("an unreachable cluster is one failure; the configuration is checked all the same", async () => {
    const unreachable = api(() => {
      throw new UserError({
        code: "cluster-unreachable",
        message: "The API server cannot be reached: ECONNREFUSED",
      });
    });
    const checks = await run(world(unreachable));
    expect(states(checks)).toMatchObject({
      "api-server": "failed",
      namespace: "skipped",
      permissions: "skipped",
      "ingress-class": "skipped",
      image: "ok",
      "local-cluster": "ok",
    });
    expect(checks.filter(({ state }) => state === "failed")).toHaveLength(1);
  });

  test("no cluster at all: says how to choose one, and whether a local one is possible", async () => {
    const choose = async () => {
      throw new UserError({
        code: "cluster-not-chosen",
        message: "No cluster is named.",
        hint: "Pass --context.",
        exitCode: 2,
      });
    };
    const checks = await run(world(api(healthy), { connect: choose }));
    expect(checks.find(({ name }) => name === "kubeconfig")).toMatchObject({
      state: "failed",
      hint: "Pass --context.",
    });
    expect(states(checks)).toMatchObject({ "api-server": "skipped", "local-cluster": "ok" });
  });

  test("a cluster that is too old is still looked at", async () => {
    const old = api((request) =>
      request.path === "/version" ? { gitVersion: "v1.20.0" } : healthy(request),
    );
    expect(states(await run(world(old)))).toMatchObject({
      "api-server": "failed",
      namespace: "ok",
      permissions: "ok",
    });
  });

  test("no configuration file is a warning, a wrong one a failure", async () => {
    expect(states(await run(world(api(healthy), { readConfig: async () => undefined })))).toMatchObject({
      config: "warning",
      image: "skipped",
      permissions: "ok",
    });
    const wrong = async () => {
      throw new UserError({ code: "config-invalid", message: "file: name: is missing", exitCode: 2 });
    };
    expect(states(await run(world(api(healthy), { readConfig: wrong })))).toMatchObject({
      config: "failed",
      host: "skipped",
    });
  });

  test("what the account may not look at is skipped or said", async () => {
    const forbidden = api((request) => {
      if (request.path === "/version") return { gitVersion: "v1.36.3" };
      throw new KubernetesApiError(403, "Forbidden", "forbidden");
    });
    expect(states(await run(world(forbidden)))).toMatchObject({
      namespace: "skipped",
      permissions: "skipped",
      "ingress-class": "skipped",
    });
  });

  test("a check that hangs is a failure of its own after its deadline", async () => {
    const silent = api((request) =>
      request.path.endsWith("/selfsubjectaccessreviews") ? new Promise(() => {}) : healthy(request),
    );
    const checks = await run(world(silent, { clock: clock(true) }));
    expect(checks.find(({ name }) => name === "permissions")).toMatchObject({
      state: "failed",
      detail: "no answer within 5 s",
    });
    expect(states(checks)).toMatchObject({ node: "ok" });
  });

  test("stops at once when the user stops it", async () => {
    const stop = new AbortController();
    const silent = api(() => new Promise(() => {}));
    const running = run(world(silent), { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(running).rejects.toThrow();
  });
});
