import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { configureReleases, imageOf, releasedProject } from "./release-project.ts";
import { isSoak } from "./soak.ts";
import { until, versionAt } from "./test-cluster.ts";

/** What clusters do to pods beside what their Deployments say. Everything is bound to the test's own namespace. */
let project: ModelProject;
let policies: string[];

beforeEach(async () => {
  policies = [];
  project = await releasedProject("pods", { streamSeconds: 1, replicas: 2 });
});

afterEach(async () => {
  const { api } = project.namespace;
  for (const path of policies.toReversed()) await api.request({ method: "DELETE", path });
  await project.remove();
});

const admission = "/apis/admissionregistration.k8s.io/v1";

async function create(path: string, body: object): Promise<void> {
  const { metadata } = body as { metadata: { name: string } };
  await project.namespace.api.json({ method: "POST", path, body });
  policies.push(`${path}/${metadata.name}`);
}

/** A policy that changes each new pod of the namespace as an apply with these objects would, as CEL expressions. */
async function mutatePods(...applied: readonly string[]): Promise<void> {
  const { name } = project.namespace;
  await create(`${admission}/mutatingadmissionpolicies`, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingAdmissionPolicy",
    metadata: { name },
    spec: {
      failurePolicy: "Fail",
      reinvocationPolicy: "Never",
      matchConstraints: ownPods(),
      mutations: applied.map((expression) => ({
        patchType: "ApplyConfiguration",
        applyConfiguration: { expression },
      })),
    },
  });
  await create(`${admission}/mutatingadmissionpolicybindings`, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name },
  });
  await untilInForce();
}

function ownPods(): object {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": project.namespace.name } },
    resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
  };
}

/** A container as the pods of the namespace get it. */
const container = (fields: string) =>
  `Object{spec: Object.spec{containers: [Object.spec.containers{${fields}}]}}`;

/** Policies are in force some moments after they were written: a pod that nobody runs shows it. */
async function untilInForce(): Promise<void> {
  const { api, name } = project.namespace;
  const probe = {
    metadata: { name: "probe", namespace: name },
    spec: { containers: [{ name: "model", image: "none:1" }] },
  };
  await until("the policy is in force", async () => {
    const answer = await api.request({
      method: "POST",
      path: `/api/v1/namespaces/${name}/pods`,
      query: { dryRun: "All" },
      body: { apiVersion: "v1", kind: "Pod", ...probe },
    });
    if (answer.status >= 400) return true;
    const pod = JSON.parse(answer.body) as { spec: { containers: { image: string }[] } };
    return pod.spec.containers.length > 1 || pod.spec.containers[0]?.image !== "none:1";
  });
}

const release = (...more: string[]) => ["release", "--json", "--set", `image=${imageOf("2")}`, ...more];

interface Podlike {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
}

async function podsOf(slot: string): Promise<readonly Podlike[]> {
  const { api, name } = project.namespace;
  const { items } = await api.json<{ items: Podlike[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${name}/pods`,
    query: { labelSelector: `version=${slot}` },
  });
  return items;
}

async function expectBlueServes(): Promise<void> {
  expect(await versionAt(project.host)).toBe("1");
  expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
}

/** The image of a mirror, as a company's registry has it, which is the same model by another name. */
const mirrored = [
  container(
    `name: "model", image: "${imageOf("1")}", env: [Object.spec.containers.env{name: "VERSION", value: "2"}]`,
  ),
  'Object{metadata: Object.metadata{labels: {"mirrored": "true"}}}',
];

const probe = (kind: string, path: string, port: number, fields: string) =>
  `${kind}: Object.spec.containers.${kind}{${fields}, periodSeconds: 1, httpGet: Object.spec.containers.${kind}.httpGet{path: "${path}", port: ${port}}}`;

describe("admission rewrites pods", () => {
  test("into ones that never start: the release ends, and nothing is sent to them", async () => {
    // The server ends at once when it does not understand a setting.
    const broken = 'env: [Object.spec.containers.env{name: "FAIL_READY", value: "perhaps"}]';
    await mutatePods(container(`name: "model", image: "${imageOf("1")}", ${broken}`));
    const { exitCode, stdout } = await project.command(release());
    expect(exitCode, stdout).toBe(1);
    expect(resultOf(stdout)).toMatchObject({
      error: { code: "release-failed", details: { cause: "slot-not-ready" } },
    });
    await expectBlueServes();
  });

  test("into ones that crash after a while: its gates see them, and the release is refused", async () => {
    await configureReleases(project, { streamSeconds: 1, soak: 60 });
    // The kubelet ends the container again and again, so long after it was ready that the soak has begun, also on a slow machine: before, the question
    // for its identity may find it first.
    const killed = probe("livenessProbe", "/none", 8080, "initialDelaySeconds: 35, failureThreshold: 1");
    await mutatePods(...mirrored, container(`name: "model", ${killed}`));
    const { exitCode, stdout } = await project.command(release());
    expect([1, 3], stdout).toContain(exitCode);
    expect(stdout).toMatch(/restarted|is not ready any more|slot-not-ready/);
    await until("clients are on the old release", async () => (await versionAt(project.host)) === "1");
    await expectBlueServes();
  });

  test("by another name of the image, a label and a sidecar: the release passes, and its gates see its pods", async () => {
    const ready = probe("readinessProbe", "/v2/health/ready", 9090, "initialDelaySeconds: 2");
    const port = 'env: [Object.spec.containers.env{name: "PORT", value: "9090"}]';
    await mutatePods(
      ...mirrored,
      container(`name: "proxy", image: "${imageOf("1")}", imagePullPolicy: "Never", ${port}, ${ready}`),
    );
    const { exitCode, stdout } = await project.command(release());
    expect(exitCode, stdout).toBe(0);
    const pods = await podsOf("green");
    expect(pods.map(({ spec }) => spec.containers.length)).toEqual([2, 2]);
    expect(stdout).toContain("2 of 2 pods ready, no restart");
    expect(await versionAt(project.host)).toBe("2");
  });
});

describe("the cluster refuses pods", () => {
  /** The release ends long before its deadline of 120 s, by the words of the API server, and the old one serves. */
  async function expectRefused(words: RegExp, ...more: readonly string[]): Promise<void> {
    const startedAt = Date.now();
    // Told beforehand, it goes on all the same, as where that cannot be asked.
    const { exitCode, stdout } = await project.command(release("--capacity", "warn", ...more));
    expect(exitCode, stdout).toBe(1);
    expect(resultOf(stdout)).toMatchObject({
      error: {
        code: "release-failed",
        message: expect.stringMatching(words),
        details: { cause: "slot-not-ready" },
      },
    });
    expect(stdout).not.toContain("did not become ready within");
    expect(Date.now() - startedAt, "the wait ends early").toBeLessThan(110_000);
    await expectBlueServes();
  }

  test("by PodSecurity", async () => {
    const { api, name } = project.namespace;
    await api.json({
      method: "PATCH",
      path: `/api/v1/namespaces/${name}`,
      contentType: "application/merge-patch+json",
      body: { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    });
    await expectRefused(/violates PodSecurity "restricted/);
  });

  test.runIf(isSoak)("by PodSecurity, when nothing is there yet: `up` ends as early", async () => {
    const first = await ModelProject.create("first");
    try {
      await first.namespace.api.json({
        method: "PATCH",
        path: `/api/v1/namespaces/${first.namespace.name}`,
        contentType: "application/merge-patch+json",
        body: { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
      });
      await configureReleases(first, { streamSeconds: 1 });
      const startedAt = Date.now();
      const { exitCode, stdout } = await first.command(["up", "--capacity", "warn", "--json"]);
      expect(exitCode, stdout).toBe(1);
      expect(resultOf(stdout)).toMatchObject({
        error: { code: "slot-not-ready", message: expect.stringMatching(/violates PodSecurity/) },
      });
      expect(Date.now() - startedAt, "the wait ends early").toBeLessThan(90_000);
    } finally {
      await first.remove();
    }
  });

  test.runIf(isSoak)("by an admission policy", async () => {
    const { name } = project.namespace;
    await create(`${admission}/validatingadmissionpolicies`, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: {
        matchConstraints: ownPods(),
        validations: [{ expression: "false", message: "only images of our registry" }],
      },
    });
    await create(`${admission}/validatingadmissionpolicybindings`, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"] },
    });
    await untilInForce();
    await expectRefused(/denied request: only images of our registry/);
  });

  test.runIf(isSoak)(
    "by a quota that the slot alone exceeds; one that is only used up is waited for",
    async () => {
      const { api, name } = project.namespace;
      const quotas = `/api/v1/namespaces/${name}/resourcequotas`;
      const quota = (pods: number) => ({
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "team" },
        spec: { hard: { pods: String(pods) } },
      });
      await api.json({ method: "POST", path: quotas, body: quota(3) });
      await expectRefused(/exceeded quota: team/, "--set", "replicas=4");
      let raised: Promise<unknown> | undefined;
      const waited = await project.command(release("--capacity", "warn"), {
        onStart: (child) => {
          child.stdout?.on("data", (text: string) => {
            if (!text.includes("exceeded quota: team")) return;
            raised ??= api.json({
              method: "PATCH",
              path: `${quotas}/team`,
              contentType: "application/merge-patch+json",
              body: { spec: quota(6).spec },
            });
          });
        },
      });
      expect(raised, waited.stdout).toBeDefined();
      expect(waited.exitCode, waited.stdout).toBe(0);
      expect(await versionAt(project.host)).toBe("2");
    },
  );
});

test.runIf(isSoak)(
  "recreate: pods that have ended do not hold the slot's room, though they stay in the list",
  async () => {
    const { api, name } = project.namespace;
    await configureReleases(project, { streamSeconds: 1, mode: "recreate" });
    const pods = `/api/v1/namespaces/${name}/pods`;
    const spec = { name: "model", image: imageOf("1"), imagePullPolicy: "Never" };
    await api.json({
      method: "POST",
      path: pods,
      body: {
        metadata: { name: "over", labels: { app: "fraud", version: "blue" } },
        // The kubelet ends it as it does an evicted one.
        spec: { activeDeadlineSeconds: 1, restartPolicy: "Never", containers: [spec] },
      },
    });
    await until("the pod has failed", async () => {
      const found = await api.find<{ status?: { phase?: string } }>(`${pods}/over`);
      return found?.status?.phase === "Failed";
    });
    const { exitCode, stdout } = await project.command(release("--yes"));
    expect(exitCode, stdout).toBe(0);
    expect(await versionAt(project.host)).toBe("2");
    expect(await api.find(`${pods}/over`)).toBeDefined();
  },
);
