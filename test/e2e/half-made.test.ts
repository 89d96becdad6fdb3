import { mkdir, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseState } from "../../src/engine/state-file.ts";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { inTime, isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

let project: ModelProject;

beforeEach(async () => {
  project = await ModelProject.create("half-made");
});

afterEach(async () => {
  await project.remove();
});

const configure = async (image: string = testImages.blue, more: Readonly<Record<string, unknown>> = {}) =>
  await project.configure({
    slots: undefined,
    release: { image, replicas: 2, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 0, steps: "50%" },
    ...more,
  });

const releaseArgs = (image: string = testImages.green) => ["release", "--set", `image=${image}`];

/** A command that must fail: its error. */
async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout, stderr } = await project.command([...args, "--json"], { env });
  expect(exitCode, stdout + stderr).not.toBe(0);
  const result = resultOf(stdout) as { code?: string; message?: string; hint?: string; error?: object };
  return { exitCode, ...(result.error ?? result) } as {
    readonly exitCode: number;
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  };
}

const recordPath = () => `/api/v1/namespaces/${project.namespace.name}/configmaps/fraud-modelswitch`;
const recordVersion = async () =>
  (await project.namespace.api.find<KubernetesObject>(recordPath()))?.metadata?.resourceVersion;

/** A state that is in the project's folder alone. */
const inFolder = { pulumi: { backend: "file://./.modelswitch/state" } };

/** The Secret that says which state is valid. */
const stateVersion = async () => {
  const path = `/api/v1/namespaces/${project.namespace.name}/secrets/fraud-modelswitch.${project.namespace.name}`;
  return (await project.namespace.api.find<KubernetesObject>(path))?.metadata?.resourceVersion;
};

async function podUids(): Promise<string[]> {
  const { items } = await project.namespace.api.json<{ items: KubernetesObject[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${project.namespace.name}/pods`,
  });
  return items.map(({ metadata }) => metadata?.uid ?? "").toSorted();
}

/** Runs a command that kills itself, as `kill -9` would, when it tells of this. */
async function killedAt(point: string, args: readonly string[]): Promise<void> {
  const { exitCode, stdout } = await project.command([...args, "--json"], {
    env: {
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "fault-point.ts")}`,
      MODELSWITCH_TEST_FAULT_POINTS: point,
    },
  });
  expect(exitCode, `${point} was not reached:\n${stdout}`).toBe(null);
}

describe("a first `up` that did not succeed", () => {
  test("with a wrong image is mended by the configuration, and releases go on from there", async () => {
    await configure("localhost/no-such-server:1");
    expect(await refused(["up"])).toMatchObject({ code: "slot-not-ready" });
    const early = await refused(releaseArgs());
    expect(early).toMatchObject({ code: "up-unfinished" });
    expect(early.hint).toContain("`modelswitch up` finishes it");
    await configure();
    await project.result(["up"]);
    expect(await versionAt(project.host)).toBe("1");
    await project.result(releaseArgs());
    expect(await versionAt(project.host)).toBe("2");
    // The release that nobody was ever served by is none to go back to.
    await project.result(["rollback"]);
    expect(await versionAt(project.host)).toBe("1");
  });

  test.runIf(isSoak)("with another slot to begin in leaves nothing of the first try", async () => {
    await configure("localhost/no-such-server:1");
    await refused(["up"]);
    await configure(testImages.green, { live: "green" });
    await project.result(["up"]);
    expect(await project.result(["status"])).toMatchObject({
      live: "green",
      slots: { blue: { replicas: { desired: 0 } }, green: { ready: true } },
      pending: null,
    });
  });

  test.each(
    inTime(1, [
      "started:Ingress/fraud",
      "done:Service/fraud-blue",
      "started:apply",
      "started:Deployment/fraud-blue",
      "done:Deployment/fraud-blue",
      "done:Ingress/fraud",
      "done:Ingress/fraud-canary",
      "done:apply",
    ]),
  )("killed at %s: `release` goes on or names the command that does, and then goes on", async (point) => {
    await configure();
    await killedAt(point, ["up"]);
    const first = await project.command([...releaseArgs(), "--json"]);
    if (first.exitCode !== 0) {
      expect(first.stdout).toContain('"up-unfinished"');
      await project.result(["up"]);
      await project.result(releaseArgs());
    }
    expect(await versionAt(project.host)).toBe("2");
    expect(await project.result(["status"])).toMatchObject({ live: "green", pending: null });
    const { stdout } = await project.command(["state", "export"]);
    expect(parseState(stdout).pending).toEqual([]);
  });
});

describe("what is not done is not recorded", () => {
  test("commands without effect leave record and state as they were", async () => {
    await configure(testImages.blue, {
      rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 600, steps: "50%" },
    });
    await project.result(["up"]);
    const traces = async () => [await recordVersion(), await stateVersion()];
    const unchanged = async (before: readonly unknown[], commands: readonly (readonly string[])[]) => {
      for (const args of commands) {
        await project.command([...args, "--json"]);
        expect(await traces(), `modelswitch ${args.join(" ")}`).toEqual(before);
      }
    };
    await unchanged(await traces(), [
      ["up"],
      ["plan"],
      ["switch", "blue"],
      ["switch", "green"],
      ["release"],
      ["rollback"],
      ["rollback", "--to", "7"],
      ["abort"],
      ["pause"],
      ["resume"],
      ["promote"],
      ["approve"],
      ["reconcile"],
      ["adopt"],
    ]);
    await project.result(releaseArgs());
    await project.result(["up"]);
    await unchanged(await traces(), [["up"], ["switch", "green"], ["reconcile"], ["pause"], ["approve"]]);
  });

  test("a wrong passphrase is found before: exit code 2, and nothing is recorded", async () => {
    await configure(testImages.blue, inFolder);
    await project.result(["up"]);
    const before = await recordVersion();
    for (const args of [releaseArgs(), ["up"], ["destroy", "--yes"]]) {
      expect(await refused(args, { PULUMI_CONFIG_PASSPHRASE: "another" })).toMatchObject({
        code: "passphrase-wrong",
        exitCode: 2,
      });
      expect(await recordVersion()).toBe(before);
    }
    await project.result(releaseArgs());
  });

  test.each(
    inTime(1, [
      ["a backend that is not there", { backend: "file:///dev/null/state" }, "backend-unusable"],
      [
        "a bucket that nobody reaches",
        { backend: "s3://no?endpoint=127.0.0.1:1&s3ForcePathStyle=true&region=x" },
        "backend-unusable",
      ],
    ]),
  )("%s is found before anything is recorded", async (_what, pulumi, code) => {
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    await configure(testImages.blue, { pulumi });
    expect(await refused(["up"], env)).toMatchObject({ code });
    expect(await recordVersion()).toBeUndefined();
    await configure();
    await project.result(["up"]);
    const before = await recordVersion();
    await configure(testImages.blue, { pulumi });
    expect(await refused(releaseArgs(), env)).toMatchObject({ code });
    expect(await refused(["destroy", "--yes"], env)).toMatchObject({ code });
    expect(await recordVersion()).toBe(before);
  });

  test("a provider that cannot be had is found before anything is recorded", async () => {
    await configure();
    await project.result(["up"]);
    const before = await recordVersion();
    // A machine that has the CLI, cannot download the provider, and has no Go to build it.
    const cache = join(project.folder, "cache");
    await mkdir(join(cache, "tools"), { recursive: true });
    await symlink(join(cacheFolder(), "tools", "pulumi"), join(cache, "tools", "pulumi"));
    const env = {
      MODELSWITCH_CACHE: cache,
      PULUMI_HOME: join(project.folder, "home"),
      PATH: "/usr/bin:/bin",
    };
    expect(await refused(releaseArgs(), env)).toMatchObject({ code: "provider-unavailable" });
    expect(await recordVersion()).toBe(before);
  });
});

describe("a fresh checkout, without the state", () => {
  test("releases and deletes nothing, plans no creation; `up` takes the model as it is into a new state", async () => {
    await configure(testImages.blue, inFolder);
    await project.result(["up"]);
    const pods = await podUids();
    const before = await recordVersion();
    await rename(join(project.folder, ".modelswitch"), join(project.folder, "elsewhere"));
    for (const args of [releaseArgs(), ["destroy", "--yes"]]) {
      expect(await refused(args)).toMatchObject({ code: "state-missing", exitCode: 2 });
    }
    expect(await recordVersion()).toBe(before);
    const plan = (await project.result(["plan"])) as { changes: { operation: string }[] };
    expect(plan.changes.filter(({ operation }) => operation !== "update")).toEqual([]);
    expect(await podUids()).toEqual(pods);

    const result = (await project.result(["up"])) as { changes: { operation: string }[] };
    expect(result.changes.filter(({ operation }) => operation !== "update")).toEqual([]);
    expect(await podUids()).toEqual(pods);
    expect(await project.result(["plan"])).toMatchObject({ changes: [] });
    await project.result(releaseArgs());
    expect(await versionAt(project.host)).toBe("2");
    await project.result(["destroy", "--yes", "--remove-stack"]);
    expect(await podUids()).toEqual([]);
  });
});

describe("names that others have", () => {
  test("an object of somebody else's is named and left alone, before anything is written", async () => {
    await configure();
    const { api, name } = project.namespace;
    const path = `/api/v1/namespaces/${name}/services`;
    await api.json({
      method: "POST",
      path,
      query: { fieldManager: "kubectl-create" },
      body: {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "fraud-green" },
        spec: { selector: { app: "fraud", version: "green" }, ports: [{ port: 80 }] },
      },
    });
    const service = async () =>
      (await api.find<KubernetesObject>(`${path}/fraud-green`))?.metadata?.resourceVersion;
    const before = await service();
    const error = await refused(["up"]);
    expect(error).toMatchObject({ code: "object-taken", exitCode: 2 });
    expect(error.message).toContain("Service fraud-green: written by kubectl-create");
    expect(await recordVersion()).toBeUndefined();
    expect(await service()).toBe(before);
    expect(await refused(["plan"])).toMatchObject({ code: "object-taken" });
    await api.request({ method: "DELETE", path: `${path}/fraud-green` });
    await project.result(["up"]);
  });

  test.runIf(isSoak)(
    "a release whose budget has somebody else's name is refused before it is recorded",
    async () => {
      await configure();
      await project.result(["up"]);
      const { api, name } = project.namespace;
      await api.json({
        method: "POST",
        path: `/apis/policy/v1/namespaces/${name}/poddisruptionbudgets`,
        query: { fieldManager: "helm" },
        body: {
          apiVersion: "policy/v1",
          kind: "PodDisruptionBudget",
          metadata: { name: "fraud-green", annotations: { "meta.helm.sh/release-name": "budgets" } },
          spec: { maxUnavailable: 1, selector: { matchLabels: { app: "else" } } },
        },
      });
      const before = await recordVersion();
      const error = await refused(releaseArgs());
      expect(error).toMatchObject({ code: "object-taken", exitCode: 2 });
      expect(error.message).toContain("the Helm release budgets");
      expect(await recordVersion()).toBe(before);
    },
  );
});
