import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

/** What namespaces, policies and quotas have against pods is said before anything is written, and a Deployment is never waited for in vain. */

let project: ModelProject;

const release = (more: object = {}) => ({
  slots: undefined,
  release: {
    image: testImages.blue,
    replicas: 2,
    imagePullPolicy: "Never",
    resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
    ...more,
  },
  rollout: { settle: 0, soak: 0, drain: 0, rollbackWindow: 0 },
});

beforeEach(async () => {
  project = await ModelProject.create("admission");
  await project.configure(release());
});

afterEach(async () => {
  await project.remove();
});

const create = (path: string, body: object) => project.namespace.api.json({ method: "POST", path, body });
const inNamespace = () => `/api/v1/namespaces/${project.namespace.name}`;

async function label(labels: Readonly<Record<string, string>>): Promise<void> {
  await project.namespace.api.json({
    method: "PATCH",
    path: inNamespace(),
    contentType: "application/merge-patch+json",
    body: { metadata: { labels } },
  });
}

/** The controller has counted what is there. */
async function quota(hard: Readonly<Record<string, string>>, more: object = {}): Promise<void> {
  await create(`${inNamespace()}/resourcequotas`, { metadata: { name: "team" }, spec: { hard, ...more } });
  await expect
    .poll(
      async () =>
        (
          await project.namespace.api.find<{ status?: { used?: object } }>(
            `${inNamespace()}/resourcequotas/team`,
          )
        )?.status?.used,
      { timeout: 60_000 },
    )
    .toBeDefined();
}

async function refused(
  ...line: string[]
): Promise<{ exitCode: number | null; code: string; message: string }> {
  const startedAt = Date.now();
  const { exitCode, stdout } = await project.command([...line, "--json"]);
  // The usual wait for pods is 120 s here.
  expect(Date.now() - startedAt).toBeLessThan(100_000);
  return { exitCode, ...(resultOf(stdout).error as { code: string; message: string }) };
}

/** Nothing of the model is in the namespace. */
async function nothingWritten(): Promise<void> {
  const { name } = project.namespace;
  for (const path of [
    `/apis/apps/v1/namespaces/${name}/deployments`,
    `/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`,
    `/api/v1/namespaces/${name}/services`,
    `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`,
  ]) {
    const { items } = await project.namespace.api.json<{ items: object[] }>({ method: "GET", path });
    expect(items, path).toEqual([]);
  }
}

const warningsOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly type: string; readonly code: string })
    .filter(({ type }) => type === "warning");

test("a quota: `plan` tells, `up` refuses; a release beside what runs as well", async () => {
  await quota({ "requests.cpu": "50m" });
  const planned = await project.command(["plan", "--json"]);
  expect(planned.exitCode).toBe(0);
  expect(warningsOf(planned.stdout).map(({ code }) => code)).toContain("quota-short");
  expect(await refused("up")).toMatchObject({
    exitCode: 1,
    code: "quota-short",
    message: expect.stringContaining(
      "the ResourceQuota team leaves 50m of 50m requests.cpu, and 0.1 more are asked for",
    ),
  });
  await nothingWritten();

  await project.namespace.api.json({
    method: "PATCH",
    path: `${inNamespace()}/resourcequotas/team`,
    contentType: "application/merge-patch+json",
    body: { spec: { hard: { "requests.cpu": "150m" } } },
  });
  await project.result(["up"]);
  expect(await refused("release", "--set", `image=${testImages.green}`)).toMatchObject({
    code: "quota-short",
    message: expect.stringContaining("leaves 50m of 150m requests.cpu"),
  });
  const cost = (await project.result(["plan"])).release as { room: string };
  expect(cost.room).toBe("quota");
});

test("a quota that wants limits, which the configuration does not say", async () => {
  await project.configure(release({ resources: { requests: { cpu: "50m" } } }));
  await quota({ "limits.memory": "1Gi" });
  expect(await refused("up")).toMatchObject({
    code: "quota-short",
    message: expect.stringContaining(
      "wants limits.memory to be said, and the container model does not say it",
    ),
  });
});

test("a limit range", async () => {
  await create(`${inNamespace()}/limitranges`, {
    metadata: { name: "sizes" },
    spec: { limits: [{ type: "Container", max: { memory: "48Mi" } }] },
  });
  expect(await refused("up")).toMatchObject({
    exitCode: 2,
    code: "limit-range",
    message: expect.stringContaining("limits.memory is 64Mi, at most 48Mi is allowed"),
  });
  await nothingWritten();
});

describe("pod security", () => {
  test("that the namespace enforces; the configuration can keep it", async () => {
    await label({ "pod-security.kubernetes.io/enforce": "restricted" });
    expect(await refused("up")).toMatchObject({
      exitCode: 2,
      code: "admission-refused",
      message: expect.stringMatching(/PodSecurity "restricted:latest": runAsNonRoot != true/),
    });
    await nothingWritten();
    const securityContext = { runAsNonRoot: true, runAsUser: 65532 };
    await project.configure(release({ pod: { securityContext } }));
    expect(await project.result(["up"])).toMatchObject({ live: "blue" });
  });

  test("that the namespace does not warn of is found with a pod that is only tried", async () => {
    await label({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/warn": "privileged",
    });
    expect(await refused("up")).toMatchObject({
      code: "admission-refused",
      message: expect.stringContaining('violates PodSecurity "restricted:latest"'),
    });
    const { items } = await project.namespace.api.json<{ items: object[] }>({
      method: "GET",
      path: `${inNamespace()}/pods`,
    });
    expect(items).toEqual([]);
  });
});

describe("a policy", () => {
  const policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
  const bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

  async function policy(resource: "deployments" | "pods"): Promise<void> {
    const { name } = project.namespace;
    const apiGroups = resource === "pods" ? [""] : ["apps"];
    const rule = { apiGroups, apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: [resource] };
    await create(policies, {
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules: [rule] },
        validations: [
          {
            expression: "has(object.metadata.labels) && 'team' in object.metadata.labels",
            message: "every one has a team",
          },
        ],
      },
    });
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": name } };
    await create(bindings, {
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"], matchResources: { namespaceSelector } },
    });
    // It takes the API server a moment to know it.
    const path = `/api${resource === "pods" ? "/v1" : "s/apps/v1"}/namespaces/${name}/${resource}`;
    const spec = { containers: [{ name: "a", image: "a" }] };
    const labels = { app: "a" };
    const body =
      resource === "pods"
        ? { metadata: { name: "a" }, spec }
        : {
            metadata: { name: "a" },
            spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
          };
    await expect
      .poll(
        async () =>
          (await project.namespace.api.request({ method: "POST", path, query: { dryRun: "All" }, body }))
            .body,
        { timeout: 60_000 },
      )
      .toContain("every one has a team");
  }

  afterEach(async () => {
    for (const path of [bindings, policies])
      await project.namespace.api.request({ method: "DELETE", path: `${path}/${project.namespace.name}` });
  });

  test.each(["deployments", "pods"] as const)("for %s", async (resource) => {
    await policy(resource);
    expect(await refused("up")).toMatchObject({
      exitCode: 2,
      code: "admission-refused",
      message: expect.stringContaining("every one has a team"),
    });
    await nothingWritten();
  });
});

test("a webhook that is down is named", async () => {
  const { name } = project.namespace;
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  await create(path, {
    metadata: { name },
    webhooks: [
      {
        name: "owners.example.com",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        timeoutSeconds: 1,
        clientConfig: { url: "https://127.0.0.1:9/" },
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
        rules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments"] }],
      },
    ],
  });
  try {
    // It takes the API server a moment to know it.
    await expect
      .poll(
        async () => {
          const { stdout } = await project.command(["plan", "--json"]);
          return stdout.includes("owners.example.com");
        },
        { timeout: 120_000 },
      )
      .toBe(true);
    expect(await refused("up")).toMatchObject({
      code: "admission-webhook-down",
      message: expect.stringContaining('"owners.example.com"'),
    });
    await nothingWritten();
  } finally {
    await project.namespace.api.request({ method: "DELETE", path: `${path}/${name}` });
  }
});
