import { describe, expect, test } from "vitest";
import { deploymentSpec } from "../../component/deployment.ts";
import { ingressTo } from "../../component/routers/main-ingress.ts";
import { presetNames } from "../../component/servers/preset-server.ts";
import { valueAt } from "../../core/fields.ts";
import { effectiveConfig } from "../file/effective.ts";
import { projectOf } from "../file/project.ts";
import { resolveConfig } from "../model/resolve.ts";
import type { ModelswitchConfig } from "../model/types.ts";
import { asConfig, settingsOf } from "./settings.ts";

const file = "/models/modelswitch.config.yaml";
const least = { name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } };

function shown(input: object) {
  const effective = effectiveConfig(
    projectOf(input, file),
    { model: "fraud", environment: undefined },
    undefined,
    {},
  );
  expect(effective.problems).toEqual([]);
  const config = effective.input as unknown as ModelswitchConfig;
  const resolved = resolveConfig(config, { file, kubeconfig: {}, contextNamespace: undefined });
  const settings = settingsOf(effective, { resolved, kubeconfig: undefined, context: undefined });
  return { settings, resolved, config: asConfig(settings) };
}

describe("the configuration that is shown", () => {
  test("has the defaults that apply", () => {
    const { config, resolved } = shown(least);
    const at = (...path: string[]) => valueAt(config, path);
    expect(config).toMatchObject({
      namespace: "default",
      live: resolved.initialLive,
      idleReplicas: resolved.runs.form === "template" ? resolved.runs.idleReplicas : undefined,
      router: resolved.router,
      previewHeader: resolved.previewHeader,
      pulumi: { project: resolved.pulumi.project, stack: resolved.pulumi.stack },
      server: { name: "custom", httpPort: 8080 },
    });
    expect(Number(at("deadlines", "ready")) * 1000).toBe(resolved.deadlines.readyMs);
    expect(Number(at("deadlines", "proof")) * 1000).toBe(resolved.deadlines.proofMs);
  });

  test("has the defaults of the objects that the component makes", () => {
    const { config, resolved } = shown(least);
    const at = (...path: string[]) => valueAt(config, path);
    const deployment = deploymentSpec("fraud", {}, { image: "a:1" }, resolved.server);
    expect(deployment.replicas).toBe(at("release", "replicas"));
    expect(valueAt(deployment, ["template", "spec", "containers", 0, "imagePullPolicy"])).toBe(
      at("release", "imagePullPolicy"),
    );
    const { spec } = ingressTo(
      "blue",
      {
        model: "fraud",
        namespace: "ml",
        ingress: resolved.ingress,
        servicePort: 80,
        previewHeader: "",
        routing: { main: "blue", candidate: "green", weight: 0 },
      },
      { name: "fraud", annotations: {}, tls: false },
    );
    expect(spec.ingressClassName).toBe(at("ingress", "className"));
    expect(spec.rules[0]?.http.paths[0]).toMatchObject({
      path: at("ingress", "path"),
      pathType: at("ingress", "pathType"),
    });
  });

  test("has no class where the router has none", () => {
    const input = { ...least, router: "contour" };
    const { settings, config } = shown(input);
    expect(valueAt(config, ["ingress", "className"])).toBeUndefined();
    expect(settings.find(({ path }) => path.join(".") === "ingress.className")?.note).toContain("contour");
    expect(valueAt(shown(least).config, ["ingress", "className"])).toBe("nginx");
  });

  test("is a valid configuration again, with the same outcome", () => {
    const presets = presetNames.map((preset) => ({
      preset,
      identity: { path: "/v", from: { kind: "body" } },
    }));
    for (const server of [undefined, "mlserver", { preset: "custom", port: 9000 }, ...presets]) {
      const input = { ...least, ...(server === undefined ? {} : { server }) };
      const first = shown(input);
      const again = shown(first.config);
      expect(again.resolved).toEqual({
        ...first.resolved,
        namespace: "default",
        ingress: expect.objectContaining(first.resolved.ingress),
        identity: first.resolved.server.identity,
        runs: expect.anything(),
      });
    }
  });

  test("says where the identity comes from", () => {
    const sources = (server: unknown) =>
      shown({ ...least, ...(server === undefined ? {} : { server }) })
        .settings.filter(({ path }) => path.includes("identity"))
        .map(({ path, note, source }) => [
          path.join("."),
          note ?? (source.kind === "file" ? source.origin.path.join(".") : source.kind),
        ]);
    expect(sources(undefined)).toEqual([["identity", "none"]]);
    expect(sources("mlserver")).toContainEqual(["identity.path", "preset"]);
    const own = { path: "/v", from: { kind: "body" } };
    const given = sources({ preset: "custom", identity: own });
    expect(given).toContainEqual(["identity.path", "server.identity.path"]);
    expect(given).toContainEqual(["server.identity.grpc", "none, the ingress is asked over HTTP"]);
    const grpcOnly = { method: "a.B/C", from: { kind: "field", path: "2" } };
    const overGrpc = {
      ...least,
      ingress: { host: "a.b", protocol: "grpc" },
      release: { image: "a:1", mark: "1" },
    };
    const { settings } = shown({ ...overGrpc, server: { preset: "custom", grpcOnly } });
    expect(settings.find(({ path }) => path.join(".") === "identity.grpc.method")).toMatchObject({
      value: "a.B/C",
      source: { kind: "file", origin: { path: ["server", "grpcOnly", "method"] } },
    });
  });

  test("hides what may be a secret, wherever it stands", () => {
    const { settings } = shown({
      ...least,
      release: { image: "a:1", env: { ANY: "hush" } },
      ingress: { host: "a.b", annotations: { "example.com/auth-password": "hush" } },
      pulumi: { backend: "https://me:hush@state.example.com" },
    });
    expect(JSON.stringify(settings.map(({ value }) => value))).not.toContain("hush");
  });

  test("shows where calls lead, and not more of their addresses", () => {
    const { settings } = shown({
      ...least,
      rollout: {
        hooks: [{ name: "tell", before: "shift", url: "https://hooks.example.com/hush?hush" }],
        gates: [{ name: "ask", request: { path: "/", headers: { authorization: "hush" } } }],
        notifications: [
          { url: "https://hooks.example.com/services/hush", format: "slack" },
          { url: { env: "SLACK_URL" }, format: "slack" },
        ],
      },
    });
    const text = JSON.stringify(settings.map(({ value }) => value));
    expect(text).not.toContain("hush");
    expect(text).toContain("hooks.example.com");
    expect(text).toContain("SLACK_URL");
  });
});
