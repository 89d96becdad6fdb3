import { describe, expect, test } from "vitest";
import { custom } from "../../component/servers/custom.ts";
import { fastapi } from "../../component/servers/fastapi.ts";
import { mlserver } from "../../component/servers/mlserver.ts";
import { vllm } from "../../component/servers/vllm.ts";
import { UserError } from "../../core/errors.ts";
import type { ModelswitchConfig } from "./types.ts";
import { good, lines, twoSlots } from "./validate.fixture.ts";
import { validateConfig } from "./validate.ts";

describe("valid configurations", () => {
  test.each<[string, ModelswitchConfig]>([
    ["the least", good],
    ["both slots, as in the seed", twoSlots],
    [
      "a template beside what belongs to the slots",
      {
        ...good,
        idleReplicas: 1,
        slots: {
          blue: {
            deployment: "fraud-server",
            service: "fraud-api",
            autoscaler: "scale",
            selector: { app: "f" },
          },
          green: { selector: { app: "f-green" } },
        },
      },
    ],
    ["slots without images", { ...twoSlots, slots: { blue: {}, green: {} } }],
    ["a preset by name", { ...good, server: "mlserver" }],
    ["a preset with settings", { ...good, server: vllm({ longestRequestSeconds: 300 }) }],
    ["every fact of a server", { ...good, server: fastapi({ metricsPath: "/m", inProgressGauge: "g" }) }],
    ["a preset made", { ...good, server: mlserver({ modelName: "fraud" }) }],
    ["an own server", { ...good, server: custom({ port: 9000, livenessPath: "/live" }) }],
    [
      "everything",
      {
        ...good,
        namespace: "ml",
        release: {
          image: "localhost:5000/team/fraud@sha256:".concat("a".repeat(64)),
          replicas: 3,
          env: { LOG_LEVEL: "info" },
          resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "1.5Gi" } },
          imagePullPolicy: "Always",
          command: ["serve"],
          args: ["--verbose"],
          disruptionBudget: { maxUnavailable: "25%" },
          model: {
            uri: "s3://models/fraud/1.5",
            digest: "sha256:".concat("a".repeat(64)),
            mountPath: "/models",
            fetcher: { env: { AWS_SECRET_ACCESS_KEY: { secret: "s3", key: "key" } }, verify: "shell" },
          },
          configFiles: { "/etc/model/a.json": "{}", "/etc/model/b.json": { file: "b.json" } },
          secrets: [{ secret: "tls", mountPath: "/etc/tls" }],
          gpus: { count: 1, resource: "amd.com/gpu" },
          securityContext: { runAsNonRoot: true },
          volumeMounts: [{ name: "cache", mountPath: "/cache" }],
          pod: {
            labels: { team: "fraud" },
            nodeSelector: { disk: "fast" },
            tolerations: [{ key: "gpu", operator: "Exists", effect: "NoSchedule" }],
            topologySpread: [{ topologyKey: "topology.kubernetes.io/zone" }],
            serviceAccount: "fraud",
            imagePullSecrets: ["registry"],
            volumes: [{ name: "cache", emptyDir: {} }],
            containers: [{ name: "proxy", image: "proxy:1" }],
          },
        },
        live: "green",
        idleReplicas: 1,
        ingress: {
          className: "traefik",
          host: "mlmodels.example.com",
          path: "/fraud",
          pathType: "Exact",
          tls: [{ hosts: ["*.example.com"], secretName: "wildcard-tls" }],
          timeout: 120,
          protocol: "https",
          annotations: { "nginx.ingress.kubernetes.io/proxy-body-size": "8m" },
          endpoints: ["http://127.0.0.1:8080"],
        },
        router: "nginx",
        previewHeader: "X-Preview",
        identity: { path: "/v2/models/fraud", from: { kind: "json", path: "versions.0" } },
        kubeconfig: "./kubeconfig",
        context: "production",
        pulumi: {
          project: "fraud",
          stack: "organization/fraud/prod",
          backend: "s3://state",
          secretsProvider: "awskms://alias/models",
        },
        deadlines: { ready: 300, proof: 30 },
      },
    ],
  ])("%s", (_what, config) => {
    expect(lines(config)).toEqual([]);
  });

  test("undefined says the same as no key, as from an environment variable that is not set", () => {
    const config = { ...good, context: undefined, live: undefined };
    expect(validateConfig(config, "f")).toEqual(good);
  });
});

describe("the error", () => {
  const thrown = (input: unknown): UserError => {
    try {
      validateConfig(input, "/models/modelswitch.config.ts");
    } catch (error) {
      if (error instanceof UserError) return error;
    }
    throw new Error("no UserError was thrown");
  };

  test("names the file and every mistake at once, in the order of the file", () => {
    const error = thrown({
      live: "gren",
      name: "fraud",
      release: { image: "a" },
      ingress: { hots: "x" },
      extra: 1,
    });
    expect(error.code).toBe("config-invalid");
    expect(error.exitCode).toBe(2);
    expect(error.message.split("\n")).toEqual([
      "/models/modelswitch.config.ts has 4 mistakes:",
      '  live: "gren" is none of blue, green; did you mean "green"?',
      "  ingress.host: is missing (Host name that clients use, for example mlmodels.example.com)",
      '  ingress.hots: is an unknown key; did you mean "ingress.host"?',
      "  extra: is an unknown key; known are name, namespace, server, release, slots, live, idleReplicas, ingress, servicePort, service, router, previewHeader, routing, identity, kubeconfig, context, pulumi, deadlines, metrics, rollout, models, environments, defaultEnvironment, configVersion",
    ]);
    expect(error.details).toMatchObject({ file: "/models/modelswitch.config.ts" });
  });

  test("never echoes what may be a secret", () => {
    const secret = 8_675_309;
    const error = thrown({
      ...good,
      release: { image: "a", env: { API_TOKEN: secret, ANYTHING: secret } },
      pulumi: { secretsProvider: "hashivault key" },
      ingress: { host: "a.b", annotations: { "example.com/auth-password": secret } },
    });
    const shown = JSON.stringify([error.message, error.hint, error.details]);
    expect(shown).not.toContain(String(secret));
    expect(shown).toContain("hashivault");
  });

  test("hides credentials in URLs", () => {
    const error = thrown({ ...good, ingress: { host: "a.b", endpoints: ["ftp://me:hush@host/"] } });
    expect(error.message).not.toContain("hush");
    expect(error.message).toContain("[hidden]@host");
  });
});

describe("mistakes", () => {
  test.each<[string, unknown, string]>([
    ["a mistyped key", { ...good, routr: "nginx" }, 'routr: is an unknown key; did you mean "router"?'],
    ["no object", "fraud", 'the configuration: must be an object, but is "fraud"'],
    ["a list", [], "the configuration: must be an object, but is []"],
    ["null", null, "the configuration: must be an object, but is null"],
    [
      "no name",
      { ...good, name: undefined },
      "name: is missing (Name of the model; names of all objects derive from it)",
    ],
    [
      "an upper-case name",
      { ...good, name: "Fraud_Model" },
      'name: "Fraud_Model" is no model name: lower-case letters, digits and -, at most 52 characters, first a letter; did you mean "fraud-model"?',
    ],
    ["a name that is a number", { ...good, name: 5 }, 'name: 5 must be a text; write "5"'],
    [
      "a namespace with a dot",
      { ...good, namespace: "ml.prod" },
      'namespace: "ml.prod" is no namespace: lower-case letters, digits and -, at most 63 characters; did you mean "ml-prod"?',
    ],
    [
      "a key that nothing is like",
      { ...good, deadlines: { sometime: 5 } },
      "deadlines.sometime: is an unknown key; known are ready, proof",
    ],
    [
      "neither release nor slots",
      { name: "fraud", ingress: good.ingress },
      'release: is missing, and "slots" too; give "release" (for example { image: "registry/fraud:1.5" }) or "slots" (what both slots run)',
    ],
    [
      "release and slots",
      { ...good, slots: twoSlots.slots },
      'release: is given, and slots.blue.image too; keep "release" (the template of the next release; slots then only have deployment, service, autoscaler, selector) or "slots" (what both slots run)',
    ],
    [
      "no image",
      { ...good, release: {} },
      "release.image: is missing (Image of the model server, best with its digest, for example registry/fraud:1.5@sha256:…)",
    ],
    ["an empty image", { ...good, release: { image: "" } }, "release.image: is empty"],
    [
      "an image with a space",
      { ...good, release: { image: "fraud 1" } },
      'release.image: "fraud 1" contains spaces',
    ],
    [
      "an upper-case image",
      { ...good, release: { image: "reg.io/Team/fraud:1" } },
      'release.image: "reg.io/Team/fraud:1" has upper-case letters in its repository; did you mean "reg.io/team/fraud:1"?',
    ],
    [
      "an image as URL",
      { ...good, release: { image: "https://reg.io/fraud:1" } },
      'release.image: "https://reg.io/fraud:1" is a URL, not an image; did you mean "reg.io/fraud:1"?',
    ],
    [
      "an image with an empty tag",
      { ...good, release: { image: "fraud:" } },
      'release.image: "fraud:" has no valid tag after the last ":"',
    ],
    [
      "an image with half a digest",
      { ...good, release: { image: "fraud@sha256:12" } },
      'release.image: "fraud@sha256:12" has no valid digest after @ (sha256: and 64 hexadecimal digits)',
    ],
    [
      "no replicas for a release",
      { ...good, release: { image: "a", replicas: 0 } },
      "release.replicas: 0 is too small; a release needs at least 1 replica",
    ],
    [
      "half a replica",
      { ...good, release: { image: "a", replicas: 1.5 } },
      "release.replicas: 1.5 must be a whole number",
    ],
    [
      "replicas in quotes",
      { ...good, release: { image: "a", replicas: "3" } },
      'release.replicas: "3" must be a number; write 3',
    ],
    [
      "a time with a unit, where seconds are meant",
      { ...good, rollout: { soak: "5m" } },
      'rollout.soak: "5m" must be a number; times are in seconds: write 300',
    ],
    [
      "per cent in quotes",
      { ...good, release: { image: "a", autoscaling: { min: 1, max: 2, memory: "70%" } } },
      'release.autoscaling.memory: "70%" must be a number; write 70',
    ],
    [
      "negative idle replicas",
      { ...good, idleReplicas: -1 },
      "idleReplicas: -1 is too small; it must be at least 0",
    ],
    [
      "idle replicas with slots",
      { ...twoSlots, idleReplicas: 1 },
      'idleReplicas: is given, but with "slots" both slots run what they name; set slots.blue.replicas and slots.green.replicas',
    ],
    ["a missing slot", { ...twoSlots, slots: { blue: {} } }, "slots.green: is missing"],
    [
      "a third slot",
      { ...twoSlots, slots: { blue: {}, green: {}, red: {} } },
      "slots.red: is an unknown key; known are blue, green",
    ],
    [
      "two slots that select the same pods",
      { ...twoSlots, slots: { blue: { selector: { app: "a" } }, green: { selector: { app: "a" } } } },
      "slots.green.selector: selects the same pods as slots.blue.selector (app=a); the slots must differ, for example in version: blue and version: green",
    ],
    [
      "a selector that takes the other slot's pods in",
      {
        ...twoSlots,
        slots: { blue: { selector: { app: "a", tier: "x" } }, green: { selector: { app: "a" } } },
      },
      "slots.green.selector: selects pods of slots.blue.selector (app=a); the slots must differ, for example in version: blue and version: green",
    ],
    [
      "a selector that takes in what the other has by default",
      { ...twoSlots, name: "fraud", slots: { blue: { selector: { app: "fraud" } }, green: {} } },
      "slots.blue.selector: selects pods of slots.green.selector (app=fraud); the slots must differ, for example in version: blue and version: green",
    ],
    [
      "an empty selector",
      { ...twoSlots, slots: { blue: { selector: {} }, green: {} } },
      "slots.blue.selector: selects every pod of the namespace; name at least one label",
    ],
    ["a wrong slot", { ...good, live: "gren" }, 'live: "gren" is none of blue, green; did you mean "green"?'],
    [
      "a quantity in the wrong unit",
      { ...good, release: { image: "a", resources: { requests: { memory: "2GB" } } } },
      'release.resources.requests.memory: "2GB" is no quantity; did you mean "2Gi" (1024) or "2G" (1000)?',
    ],
    [
      "a quantity that is a number",
      { ...good, release: { image: "a", resources: { limits: { cpu: 2 } } } },
      'release.resources.limits.cpu: 2 must be a text; write "2"',
    ],
    [
      "requests above the limits",
      { ...good, release: { image: "a", resources: { requests: { cpu: "1500m" }, limits: { cpu: "1" } } } },
      'release.resources.requests.cpu: "1500m" is more than limits.cpu "1"',
    ],
    [
      "a backend that is a path",
      { ...good, pulumi: { backend: "./state" } },
      'pulumi.backend: "./state" is no URL; for example "file:///srv/state" or "s3://bucket"',
    ],
    [
      "a stack with a space",
      { ...good, pulumi: { stack: "my stack" } },
      'pulumi.stack: "my stack" may have letters, digits, - _ and . only',
    ],
    [
      "a deadline of nothing",
      { ...good, deadlines: { ready: 0 } },
      "deadlines.ready: 0 is too small; it must be more than 0",
    ],
    [
      "a deadline in words",
      { ...good, deadlines: { proof: "1m" } },
      'deadlines.proof: "1m" must be a number; times are in seconds: write 60',
    ],
    [
      "steps that do not grow",
      { ...good, rollout: { steps: "25%:5m, 5%" } },
      'rollout.steps: has the step "5%", which must be more than the 25% before it',
    ],
    [
      "a model's key, misspelt",
      { ...good, release: { image: "a", model: { url: "s3://b/m", uri: "s3://b/m" } } },
      'release.model.url: is an unknown key; did you mean "release.model.uri"?',
    ],
    [
      "half a GPU",
      { ...good, release: { image: "a", gpus: 0.5 } },
      'release.gpus: 0.5 is no whole number, and Kubernetes only gives whole GPUs; to share one, name what the device plug-in offers, for example { count: 1, resource: "nvidia.com/mig-1g.5gb" }',
    ],
    [
      "a number of replicas and an autoscaler",
      {
        ...twoSlots,
        slots: {
          blue: {},
          green: { image: "a", replicas: 1, autoscaling: { min: 1, max: 2, metrics: [{}] } },
        },
      },
      "slots.green.replicas: is given, and autoscaling too; the autoscaler sets the number: keep one of the two",
    ],
    [
      "a variable out of nowhere",
      { ...good, release: { image: "a", env: { TOKEN: { key: "token" } } } },
      "release.env.TOKEN: names neither a Secret nor a ConfigMap; write { secret: NAME, key: KEY }",
    ],
    [
      "a variable that is a number",
      { ...good, release: { image: "a", env: { WORKERS: 4 } } },
      "release.env.WORKERS: must be a text, in quotes, or { secret, key } or { configMap, key }",
    ],
    [
      "a variable with a space in its name",
      { ...good, release: { image: "a", env: { "A B": "x" } } },
      'release.env["A B"]: is no name of an environment variable',
    ],
  ])("%s", (_what, config, expected) => {
    expect(lines(config)).toEqual([expected]);
  });
});
