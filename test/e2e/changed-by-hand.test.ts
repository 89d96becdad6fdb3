import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { resultOf, run } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;

beforeEach(async () => {
  project = await ModelProject.create("by-hand");
});

afterEach(async () => {
  await project.remove();
});

const configure = async (release: Readonly<Record<string, unknown>> = {}) =>
  await project.configure({
    slots: undefined,
    release: {
      image: testImages.blue,
      replicas: 2,
      imagePullPolicy: "Never",
      env: { LEVEL: "info" },
      ...release,
    },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 600, steps: "50%" },
  });

async function kubectl(...args: readonly string[]): Promise<void> {
  const { name, kubeconfigPath } = project.namespace;
  const program = process.env.MODELSWITCH_TEST_KUBECTL ?? "kubectl";
  const { exitCode, stderr } = await run(program, ["-n", name, ...args], {
    env: { KUBECONFIG: kubeconfigPath },
  });
  expect(exitCode, stderr).toBe(0);
}

interface Changed {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly by: string;
}

const changedByHand = async () =>
  ((await project.result(["status"])) as { changedByHand: Changed[] }).changedByHand;

/** A command's warnings of a kind, and how it ended. */
async function warnings(args: readonly string[], code: string) {
  const { exitCode, stdout } = await project.command([...args, "--json"]);
  const lines = stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as { type?: string; code?: string; message?: string });
  const messages = lines.filter((line) => line.type === "warning" && line.code === code);
  return { exitCode, messages: messages.map(({ message }) => message), stdout };
}

const deployment = async (slot: string) =>
  await project.namespace.api.find<KubernetesObject & { spec: { replicas: number } }>(
    `/apis/apps/v1/namespaces/${project.namespace.name}/deployments/fraud-${slot}`,
  );

const image = "spec.template.spec.containers[model].image";

describe("a hotfix by hand on the live slot", () => {
  test("is named field by field, stays as long as nothing is to be written there, and is put back on purpose only", async () => {
    await configure();
    await project.result(["up"]);
    expect(await changedByHand()).toEqual([]);
    await kubectl("set", "image", "deployment/fraud-blue", `model=${testImages.green}`);
    await kubectl("set", "env", "deployment/fraud-blue", "LEVEL=debug");
    await until("the hotfix answers", async () => (await versionAt(project.host)) === "2");

    const seen = await changedByHand();
    expect(seen.map(({ path }) => path)).toEqual([
      "spec.template.spec.containers[model].env[LEVEL].value",
      image,
    ]);
    expect(seen[1]).toMatchObject({
      kind: "Deployment",
      name: "fraud-blue",
      before: testImages.blue,
      after: testImages.green,
      by: "kubectl set",
    });
    expect((await warnings(["plan"], "changed-by-hand")).messages).toEqual([
      expect.stringContaining(`${image}: "${testImages.blue}" -> "${testImages.green}" (kubectl set`),
    ]);
    const before = (await deployment("blue"))?.metadata?.generation;
    const up = await warnings(["up"], "changed-by-hand");
    expect(up).toMatchObject({ exitCode: 0, messages: [expect.stringContaining(image)] });
    // It is no tag that was moved.
    expect(up.stdout).not.toContain("image-tag-moved");
    expect((await deployment("blue"))?.metadata?.generation).toBe(before);

    // Another size would have Pulumi write the Deployment, and the hotfix would be gone.
    await configure({ replicas: 3 });
    const refused = await project.command(["up", "--json"]);
    expect(refused.exitCode, refused.stdout).toBe(2);
    expect(resultOf(refused.stdout)).toMatchObject({ error: { code: "live-change-refused" } });
    expect(refused.stdout).toContain("kubectl set");
    expect(await versionAt(project.host)).toBe("2");

    const put = await warnings(["up", "--allow-live-change"], "hand-change-undone");
    expect(put, put.stdout).toMatchObject({ exitCode: 0, messages: [expect.stringContaining(image)] });
    expect(await versionAt(project.host)).toBe("1");
    expect(await changedByHand()).toEqual([]);
  });

  test("is said by a release and by the rollback that goes back to it", async () => {
    await configure();
    await project.result(["up"]);
    await kubectl("set", "env", "deployment/fraud-blue", "LEVEL=debug");
    await project.namespace.untilReady("fraud-blue", 2);
    await until("the Deployment has settled", async () => {
      const found = (await deployment("blue")) as {
        status?: { updatedReplicas?: number; replicas?: number };
      };
      return found.status?.updatedReplicas === 2 && found.status.replicas === 2;
    });
    const level = "env[LEVEL].value";
    const release = await warnings(["release", "--set", `image=${testImages.green}`], "changed-by-hand");
    expect(release, release.stdout).toMatchObject({
      exitCode: 0,
      messages: [expect.stringContaining(level)],
    });
    const rollback = await warnings(["rollback"], "changed-by-hand");
    expect(rollback, rollback.stdout).toMatchObject({
      exitCode: 0,
      messages: [expect.stringContaining("fraud-blue (blue, release 1)")],
    });
    expect(await versionAt(project.host)).toBe("1");
  });
});

test("other ways to change things by hand are seen, too: scale, restart, edit, apply, the routing's annotations", async () => {
  await configure();
  await project.result(["up"]);
  await kubectl("scale", "deployment/fraud-green", "--replicas=1");
  await kubectl("rollout", "restart", "deployment/fraud-blue");
  await kubectl("annotate", "ingress/fraud", "nginx.ingress.kubernetes.io/limit-rps=5", "note=mine");
  await kubectl("patch", "service/fraud-blue", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}');
  const found = (await changedByHand()).map(({ kind, path, by }) => `${kind} ${path} ${by}`);
  expect(found.toSorted()).toEqual([
    "Deployment spec.replicas kubectl scale",
    'Deployment spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"] kubectl rollout',
    'Ingress metadata.annotations["nginx.ingress.kubernetes.io/limit-rps"] kubectl annotate',
    "Service spec.sessionAffinity kubectl patch",
    "Service spec.sessionAffinityConfig.clientIP.timeoutSeconds kubectl patch",
  ]);
  // Nobody undid it by having looked.
  expect((await deployment("green"))?.spec.replicas).toBe(1);
});
