import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ProcessResult } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import type { TestNamespace } from "./test-cluster.ts";

/** What people put in front of a model, met by the proof at the real Traefik. */

const nginx = "nginx.ingress.kubernetes.io";
const password = "geheim-4711";
const credentials = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;

interface Lane {
  readonly unexpected: Readonly<Record<string, number>>;
  readonly unanswered: Readonly<Record<string, number>>;
}

/** The error of a command with `--json`. */
function errorOf({ stdout }: ProcessResult) {
  const last = stdout.trim().split("\n").at(-1) ?? "";
  const { error } = JSON.parse(last) as {
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      readonly details?: { readonly evidence?: { readonly lanes: readonly Lane[] } };
    };
  };
  return error;
}

async function putSecret(namespace: TestNamespace, name: string, stringData: Record<string, string>) {
  const metadata = { name };
  await namespace.api.json({
    method: "POST",
    path: `/api/v1/namespaces/${namespace.name}/secrets`,
    body: { apiVersion: "v1", kind: "Secret", metadata, stringData },
  });
}

async function names(namespace: TestNamespace, path: string): Promise<string[]> {
  const list = await namespace.api.json<{ items: { metadata: { name: string } }[] }>({
    method: "GET",
    path: path.replace("NAMESPACE", namespace.name),
  });
  return list.items.map(({ metadata }) => metadata.name);
}

const ingresses = "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses";

describe("an Ingress that rewrites paths", () => {
  let project: ModelProject;
  beforeAll(async () => {
    project = await ModelProject.create("rewrite");
  });
  afterAll(() => project.remove());

  test("through which no identity is reached is refused before anything is written", async () => {
    await project.configure({ ingress: { host: project.host, path: "/fraud" } });
    for (const command of ["plan", "up"]) {
      const result = await project.command([command, "--json"]);
      expect(result.exitCode, result.stdout).toBe(2);
      expect(errorOf(result)).toMatchObject({
        code: "identity-path-outside",
        hint: expect.stringContaining('ingressPath: "/fraud/v2/models/demo"'),
      });
    }
    expect(await names(project.namespace, ingresses)).toEqual([]);
    expect(await names(project.namespace, "/apis/apps/v1/namespaces/NAMESPACE/deployments")).toEqual([]);
    const maps = await names(project.namespace, "/api/v1/namespaces/NAMESPACE/configmaps");
    expect(maps.filter((name) => name.startsWith("fraud"))).toEqual([]);
  });

  test("is proved at the path that clients use, and so is a switch", async () => {
    const annotations = { [`${nginx}/rewrite-target`]: "/$2" };
    const rewriting = { path: "/fraud(/|$)(.*)", pathType: "ImplementationSpecific", annotations };
    await project.configure({ ingress: { host: project.host, ...rewriting } });
    expect(await project.result(["up"])).toMatchObject({
      proof: { state: "proved" },
      url: `http://${project.host}/fraud`,
    });
    expect(await project.result(["switch", "green"])).toMatchObject({ target: "green" });
    // What is said wins over what is worked out: here a path that the server does not know.
    await project.configure(
      { ingress: { host: project.host, ...rewriting }, deadlines: { ready: 120, proof: 5 } },
      {
        identity: {
          path: "/v2/models/demo",
          ingressPath: "/fraud/nowhere",
          from: { kind: "header", name: "x-model-version" },
        },
      },
    );
    const wrong = await project.command(["up", "--json"]);
    expect(wrong.exitCode, wrong.stdout).toBe(1);
    expect(errorOf(wrong).message).toContain("HTTP 404 without an identity");
  });
});

describe("an Ingress that is guarded", () => {
  let project: ModelProject;
  let output = "";
  beforeAll(async () => {
    project = await ModelProject.create("guarded");
    const hash = createHash("sha1").update(password).digest("base64");
    await putSecret(project.namespace, "users", { auth: `ada:{SHA}${hash}\n` });
    await putSecret(project.namespace, "probe", { authorization: `${credentials}\n` });
    await project.configure();
    await project.result(["up"]);
  });
  afterAll(() => project.remove());

  /** `up` with these annotations, and what the proof may take. */
  async function upWith(
    annotations: Readonly<Record<string, string>>,
    more: Readonly<Record<string, unknown>> = {},
    proof = 15,
  ): Promise<ProcessResult> {
    await project.configure({
      ingress: { host: project.host, annotations, ...more },
      deadlines: { ready: 120, proof },
    });
    const result = await project.command(["up", "--json"]);
    output += result.stdout + result.stderr;
    return result;
  }

  const basic = { [`${nginx}/auth-type`]: "basic", [`${nginx}/auth-secret`]: "users" };

  test.each([
    ["basic authentication", basic, /HTTP 401, asks for credentials \(Basic/, "ingress.probe.headers"],
    [
      "an allow list",
      { [`${nginx}/whitelist-source-range`]: "203.0.113.0/24" },
      /HTTP 403, refused/,
      "whitelist-source-range",
    ],
    [
      "a redirect to https",
      { [`${nginx}/force-ssl-redirect`]: "true" },
      /HTTP 30\d, a redirect to https/,
      "https://ADDRESS:PORT",
    ],
  ])("with %s: the proof says what it met, and how to go on", async (_, annotations, message, hint) => {
    const result = await upWith(annotations);
    expect(result.exitCode, result.stdout).toBe(1);
    const error = errorOf(result);
    expect(error.code).toBe("proof-failed");
    expect(error.message).toMatch(message);
    expect(error.hint).toContain(hint);

    const { stdout } = await project.command(["doctor", "--json"]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
    const found = (name: string) => checks.find((check) => check.name === name);
    expect(found("ingress-guards")).toMatchObject({
      state: "warning",
      detail: expect.stringContaining(Object.keys(annotations)[0] ?? ""),
    });
    expect(found("ingress-answer")).toMatchObject({
      state: "failed",
      detail: expect.stringMatching(message),
    });
  });

  test("credentials of a Secret go with the proof, and nowhere else", async () => {
    const headers = { Authorization: { secret: "probe", key: "authorization" } };
    const result = await upWith(basic, { probe: { headers } });
    expect(result.exitCode, result.stdout).toBe(0);
    const target = await project.command(["switch", "green", "--json"]);
    expect(target.exitCode, target.stdout).toBe(0);
    output += target.stdout + target.stderr;

    const record = await project.namespace.api.find(
      `/api/v1/namespaces/${project.namespace.name}/configmaps/fraud-modelswitch`,
    );
    const shown = `${output}${JSON.stringify(record)}`;
    expect(record).toBeDefined();
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(credentials.slice("Basic ".length));
    expect(JSON.stringify(record)).not.toContain("authorization");

    const missing = await upWith(basic, { probe: { headers: { Authorization: { env: "NOWHERE" } } } });
    expect(missing.exitCode, missing.stdout).toBe(2);
    expect(errorOf(missing)).toMatchObject({ code: "probe-header-unusable" });
  });

  test("with a limit of requests: it is proved more slowly, and a limit is no wrong answer", async () => {
    const result = await upWith({ [`${nginx}/limit-rps`]: "3" }, {}, 60);
    expect(result.exitCode, result.stdout).toBe(0);
    // Below what a proof needs in its time, it says so.
    const hopeless = await upWith({ [`${nginx}/limit-rpm`]: "1" }, {}, 10);
    expect(hopeless.exitCode, hopeless.stdout).toBe(1);
    const error = errorOf(hopeless);
    expect(error.message).toContain("HTTP 429, too many requests");
    expect(error.hint).toContain("limit-whitelist");
    const lanes = error.details?.evidence?.lanes ?? [];
    expect(lanes.flatMap(({ unexpected }) => Object.keys(unexpected))).toEqual([]);
    const limited = lanes.flatMap(({ unanswered }) => Object.values(unanswered));
    expect(limited.reduce((sum, count) => sum + count, 0)).toBeLessThan(20);
  });
});

test("an admission webhook that is down is named, and is no outage of the API server", async () => {
  const project = await ModelProject.create("webhook");
  const name = `${project.namespace.name}.acme.io`;
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  const { api } = project.namespace;
  const webhook = (resources: readonly string[], apiGroups: readonly string[]) => ({
    name,
    failurePolicy: "Fail",
    timeoutSeconds: 2,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    clientConfig: { url: "https://127.0.0.1:9/validate" },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": project.namespace.name } },
    rules: [{ apiGroups, apiVersions: ["*"], operations: ["CREATE", "UPDATE"], resources }],
  });
  const install = async (resources: readonly string[], apiGroups: readonly string[]) => {
    await api.request({ method: "DELETE", path: `${path}/${name}` });
    await api.json({
      method: "POST",
      path,
      body: {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name },
        webhooks: [webhook(resources, apiGroups)],
      },
    });
  };
  const expectNamed = async (args: readonly string[]) => {
    const result = await project.command([...args, "--json"]);
    expect(result.exitCode, result.stdout).toBe(1);
    expect(errorOf(result)).toMatchObject({
      code: "admission-webhook-down",
      message: expect.stringContaining(`"${name}"`),
      hint: expect.stringContaining("failurePolicy"),
    });
    expect(result.stdout).not.toContain("cluster-away");
  };
  try {
    await project.configure();
    // By a write of our own, and by one of Pulumi's.
    await install(["configmaps"], [""]);
    await expectNamed(["up"]);
    await install(["ingresses"], ["networking.k8s.io"]);
    await expectNamed(["up"]);
    await api.request({ method: "DELETE", path: `${path}/${name}` });
    await project.result(["up"]);
  } finally {
    await api.request({ method: "DELETE", path: `${path}/${name}` });
    await project.remove();
  }
});
