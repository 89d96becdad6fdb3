import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { resultOf, run } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;

beforeEach(async () => {
  project = await ModelProject.create("by-hand");
});

afterEach(async () => {
  await project.remove();
});

const configure = async (
  release: Readonly<Record<string, unknown>> = {},
  settings: Readonly<Record<string, unknown>> = {},
) =>
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
    ...settings,
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

  test.runIf(isSoak)("is said by a release and by the rollback that goes back to it", async () => {
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

/** As somebody's own tool writes: Pulumi's provider takes over what kubectl wrote, and is in conflict with everybody else. */
const asTool = "--field-manager=k9s";
const alien = (name: string) =>
  JSON.stringify({
    spec: { template: { spec: { containers: [{ name: "model", env: [{ name, value: "1" }] }] } } },
  });

const variables = async (slot: string) => {
  const found = (await deployment(slot)) as unknown as {
    spec: { template: { spec: { containers: { env?: { name: string; value?: string }[] }[] } } };
  };
  const env = found.spec.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
};

describe("a change by hand with whatever tool", () => {
  test("on the live slot stays through a release; on the idle one it holds no release, no way back and no scale-down", async () => {
    await configure();
    await project.result(["up"]);
    await kubectl("patch", "deployment/fraud-blue", asTool, "-p", alien("HOTFIX"));
    await kubectl("set", "env", "deployment/fraud-blue", "LEVEL=debug");
    // What is gone is looked at anew in the middle of the release; what was changed of the slot that serves is not.
    await kubectl("delete", "service/fraud-green");
    await kubectl("patch", "deployment/fraud-green", asTool, "-p", alien("ALIEN"));
    await kubectl("scale", "deployment/fraud-green", "--replicas=1");
    await kubectl("set", "image", "deployment/fraud-green", `model=${testImages.blue}`);
    await project.namespace.untilReady("fraud-blue", 2);
    const before = (await deployment("blue"))?.metadata?.generation;

    const release = await warnings(["release", "--set", `image=${testImages.green}`], "hand-change-undone");
    expect(release.exitCode, release.stdout).toBe(0);
    expect(release.messages.join("\n")).toContain("Deployment fraud-green");
    expect(release.messages.join("\n")).not.toContain("Deployment fraud-blue");
    expect(await versionAt(project.host)).toBe("2");
    expect(await variables("green")).toEqual({ LEVEL: "info" });
    expect((await deployment("blue"))?.metadata?.generation).toBe(before);

    await kubectl("patch", "deployment/fraud-green", asTool, "-p", alien("ALIEN"));
    // The number is the tool's then, and as large as before: else the rollback would make blue as large.
    for (const replicas of [3, 2])
      await kubectl("patch", "deployment/fraud-green", asTool, "-p", JSON.stringify({ spec: { replicas } }));
    const rollback = await warnings(["rollback"], "hand-change-undone");
    expect(rollback.exitCode, rollback.stdout).toBe(0);
    expect(await versionAt(project.host)).toBe("1");
    expect((await deployment("green"))?.spec.replicas).toBe(0);
    expect(await variables("blue")).toEqual({ HOTFIX: "1", LEVEL: "debug" });
  });

  test.runIf(isSoak)(
    "on the live slot stays through a release that is killed in the middle of a write, and goes on",
    async () => {
      await configure();
      await project.result(["up"]);
      await kubectl("set", "env", "deployment/fraud-blue", "LEVEL=debug");
      await project.namespace.untilReady("fraud-blue", 2);
      const killed = await project.command(["release", "--set", `image=${testImages.green}`, "--json"], {
        onStart: (child) =>
          child.stdout?.on("data", (text: string) => {
            if (/"name":"fraud-green","status":"started"/.test(text)) child.kill("SIGKILL");
          }),
      });
      expect(killed.exitCode, killed.stdout).toBe(null);
      const resumed = await warnings(["resume"], "hand-change-undone");
      expect(resumed.exitCode, resumed.stdout).toBe(0);
      expect(resumed.messages).toEqual([]);
      expect(await versionAt(project.host)).toBe("2");
      expect(await variables("blue")).toEqual({ LEVEL: "debug" });
    },
  );

  test("is refused by an `up` that would undo it, and really put back by one that is told to", async () => {
    await configure();
    await project.result(["up"]);
    await kubectl("patch", "deployment/fraud-blue", asTool, "-p", alien("HOTFIX"));
    await kubectl("patch", "service/fraud-blue", asTool, "-p", '{"spec":{"sessionAffinity":"ClientIP"}}');
    await kubectl("annotate", "ingress/fraud", asTool, "nginx.ingress.kubernetes.io/limit-rps=5");
    await project.namespace.untilReady("fraud-blue", 2);

    const refusedAt = async (...paths: readonly string[]) => {
      const { exitCode, stdout } = await project.command(["up", "--json"]);
      expect(exitCode, stdout).toBe(2);
      const { error } = resultOf(stdout) as {
        error: { code: string; details: { changes: readonly Changed[] } };
      };
      expect(error.code).toBe("live-change-refused");
      expect(error.details.changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(paths);
    };
    const settings = { ingress: { host: project.host, timeout: 61 } };
    await configure({}, settings);
    await refusedAt('Ingress metadata.annotations["nginx.ingress.kubernetes.io/limit-rps"]');
    await configure({ replicas: 3 });
    await refusedAt("Deployment spec.template.spec.containers[model].env[HOTFIX].value");
    // What was deleted of the other slot comes back all the same.
    await configure();
    await kubectl("delete", "service/fraud-green");
    await project.result(["up"]);
    expect(await variables("blue")).toMatchObject({ HOTFIX: "1" });
    expect(await changedByHand()).toHaveLength(4);

    // Nothing else is to be written: what Pulumi sees no reason for is put back, too.
    const put = await warnings(["up", "--allow-live-change"], "hand-change-undone");
    expect(put.exitCode, put.stdout).toBe(0);
    expect(put.messages).toHaveLength(3);
    expect(await changedByHand()).toEqual([]);
    expect(await variables("blue")).toEqual({ LEVEL: "info" });
    expect(await project.result(["plan"])).toMatchObject({ changes: [] });
    // It left no owner behind with whom the next command would be in conflict.
    await configure({ replicas: 3 });
    await project.result(["up"]);
    expect((await deployment("blue"))?.spec.replicas).toBe(3);
  });

  test.runIf(isSoak)(
    "of the size of a slot: an autoscaler's is no change, and what is scaled down is declared anew",
    async () => {
      await configure({
        replicas: undefined,
        autoscaling: { min: 2, max: 4 },
        resources: { requests: { cpu: "10m" } },
      });
      await project.result(["up"]);
      await kubectl("scale", "deployment/fraud-blue", "--replicas=3");
      expect(await changedByHand()).toEqual([]);
      await project.result(["up"]);
      await configure({ replicas: 3 });
      await project.result(["up"]);
      await kubectl("scale", "deployment/fraud-blue", "--replicas=1");
      await configure({ replicas: 4 });
      await project.result(["up"]);
      expect((await deployment("blue"))?.spec.replicas).toBe(4);
    },
  );
});
