import { randomBytes } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoadRun } from "../../demo/load.ts";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { allStateNames, stateNames } from "../../src/state/names.ts";
import { type ProcessResult, resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { inTime, isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

/** Two people with the configuration and the kubeconfig, and nothing else in common: neither a folder nor a passphrase. */
interface Person {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

let project: ModelProject;
let ada: Person;
let bob: Person;
let load: LoadRun;
const stop = new AbortController();

beforeAll(async () => {
  project = await ModelProject.create("state");
  await configure();
  ada = await person("ada");
  bob = await person("bob");
});

afterAll(async () => {
  stop.abort();
  for (const { folder } of [ada, bob]) await rm(folder, { recursive: true, force: true });
  await project.remove();
});

async function person(name: string): Promise<Person> {
  const folder = await mkdtemp(join(tmpdir(), `modelswitch-${name}-`));
  await cp(project.configFile, join(folder, "modelswitch.config.ts"));
  return {
    folder,
    env: { PULUMI_CONFIG_PASSPHRASE: undefined, MODELSWITCH_STATE: join(folder, "machine") },
  };
}

/** For both of them. */
async function configure(release: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never", ...release },
    rollout: { settle: 0, soak: 0, drain: 1, rollbackWindow: 600, steps: "50%" },
  });
  for (const one of [ada, bob]) {
    if (one !== undefined) await cp(project.configFile, join(one.folder, "modelswitch.config.ts"));
  }
}

const as = (
  { folder, env }: Person,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<ProcessResult> =>
  project.command([...args, "--json"], { cwd: folder, timeoutMs: 900_000, env: { ...env, ...more } });

async function succeeds(who: Person, ...args: string[]): Promise<{ said: string } & Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await as(who, args);
  expect(exitCode, `${args.join(" ")}:\n${stdout}${stderr}`).toBe(0);
  return { ...resultOf(stdout), said: stdout };
}

let releases = 0;
/** Each is another one: of the same the pods would stay. */
const releaseOf = (image: string) => {
  releases += 1;
  return ["release", "--set", `image=${image}`, "--set", `env.RELEASE=${releases}`];
};

/** Into the other slot, with the version that it does not serve. */
const nextRelease = async () =>
  releaseOf((await versionAt(project.host)) === "1" ? testImages.green : testImages.blue);

/** What the other one sees of a model that nobody has touched since. */
async function isSettled(...people: readonly Person[]): Promise<void> {
  for (const who of people) expect(await succeeds(who, "plan")).toMatchObject({ changes: [] });
}

const fault = { NODE_OPTIONS: `--import=${join(import.meta.dirname, "fault-point.ts")}` };
async function killedAt(who: Person, point: string, args: readonly string[]): Promise<void> {
  const { exitCode, stdout } = await as(who, args, { ...fault, MODELSWITCH_TEST_FAULT_POINTS: point });
  expect(exitCode, `${point} was not reached:\n${stdout}`).toBe(null);
}

const names = () => stateNames("fraud", { project: "modelswitch-fraud", stack: project.namespace.name });
const path = (name = "") => `/api/v1/namespaces/${project.namespace.name}/secrets${name && `/${name}`}`;
const secret = (name: string) => project.namespace.api.find<KubernetesObject>(path(name));

async function secrets(): Promise<readonly KubernetesObject[]> {
  const found = await Promise.all(allStateNames(names()).map(secret));
  return found.filter((one) => one !== undefined);
}

/** Puts Secrets back as they were, as somebody with a backup would. */
async function putBack(former: readonly KubernetesObject[]): Promise<void> {
  for (const { metadata, ...rest } of former) {
    const name = metadata?.name ?? "";
    const resourceVersion = (await secret(name))?.metadata?.resourceVersion;
    await project.namespace.api.json({
      method: "PUT",
      path: path(name),
      query: { fieldManager: "backup" },
      body: { ...rest, metadata: { name, labels: metadata?.labels, resourceVersion } },
    });
  }
}

/** Text that does not get much smaller. */
const noise = (length: number) =>
  Array.from(randomBytes(length), (byte) => String.fromCharCode(48 + (byte % 75)))
    .join("")
    .replaceAll("\\", "~");

async function podUids(): Promise<string[]> {
  const { items } = await project.namespace.api.json<{ items: KubernetesObject[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${project.namespace.name}/pods`,
  });
  return items.map(({ metadata }) => metadata?.uid ?? "").toSorted();
}

/** No request failed since the last look. */
function expectNoFailure(): void {
  const report = load.snapshot();
  expect(report.failed, project.explain(report)).toBe(0);
  expect(report.requests).toBeGreaterThan(0);
}

/** What takes long is left to the long run. */

/** One story, told in order. */
describe("one model, two machines, the state in the cluster", { timeout: 600_000 }, () => {
  test("`up` makes state and key without a question; the other one plans no change", async () => {
    await succeeds(ada, "up");
    load = project.startLoad(20, stop.signal);
    await isSettled(bob, ada);
    const shown = await succeeds(bob, "state", "show");
    expect(shown).toMatchObject({ place: "cluster", operation: { open: false }, saved: { parts: 1 } });
    expect(shown.recorded).toEqual({
      project: "modelswitch-fraud",
      stack: project.namespace.name,
      backend: null,
    });
  });

  test("every command of a release's life goes on from the other one", async () => {
    await succeeds(bob, ...releaseOf(testImages.green));
    expect(await versionAt(project.host)).toBe("2");
    await isSettled(ada);
    await succeeds(ada, "switch", "blue");
    await succeeds(bob, "switch", "green");
    await isSettled(ada);
    await succeeds(ada, "rollback");
    expect(await versionAt(project.host)).toBe("1");
    await isSettled(bob);
    await succeeds(ada, ...releaseOf(testImages.green));
    await succeeds(bob, "reconcile");
    await succeeds(bob, ...releaseOf(testImages.blue));
    await succeeds(ada, "up");
    await isSettled(ada, bob);
    expectNoFailure();
  });

  test.each(inTime(0, ["started:Deployment/fraud-green", "started:write-shift", "done:prove-shift"]))(
    "killed at %s, the other one resumes it",
    async (point) => {
      // Into green each time.
      if ((await succeeds(bob, "status")).live === "green")
        await succeeds(bob, ...releaseOf(testImages.blue));
      await killedAt(ada, point, releaseOf(testImages.green));
      const { said } = await succeeds(bob, "resume");
      if (point.includes("Deployment")) expect(said).toContain('"state-taken-over"');
      expect(await versionAt(project.host)).toBe("2");
      await isSettled(bob, ada);
      // The one that was killed goes on, too.
      await succeeds(ada, "up");
      expectNoFailure();
    },
  );

  test("killed in the middle of a shift, the other one takes it back", async () => {
    if ((await succeeds(bob, "status")).live === "green") await succeeds(bob, ...releaseOf(testImages.blue));
    await killedAt(ada, "done:prove-shift", releaseOf(testImages.green));
    await succeeds(bob, "abort");
    expect(await versionAt(project.host)).toBe("1");
    await isSettled(ada, bob);
    expectNoFailure();
  });

  test("a Secret that somebody deleted: a release does nothing, `up` takes the model as it is", async () => {
    const pods = await podUids();
    for (const { metadata } of await secrets()) {
      await project.namespace.api.request({ method: "DELETE", path: path(metadata?.name) });
    }
    const refused = await as(bob, releaseOf(testImages.green));
    expect(refused.exitCode, refused.stdout).toBe(2);
    expect(resultOf(refused.stdout)).toMatchObject({ error: { code: "state-missing" } });
    expect((await succeeds(ada, "up")).said).toContain('"state-deleted"');
    expect(await podUids()).toEqual(pods);
    await isSettled(bob);
    await succeeds(bob, ...releaseOf(testImages.green));
    expect(await versionAt(project.host)).toBe("2");
    expectNoFailure();
  });

  test.runIf(isSoak)(
    "a Secret that somebody put back: whoever has the newer copy goes on with it, others read the cluster",
    async () => {
      const former = await secrets();
      await succeeds(ada, ...releaseOf(testImages.blue));
      await putBack(former);
      expect((await succeeds(bob, ...releaseOf(testImages.green))).said).toContain('"state-rolled-back"');
      await isSettled(ada, bob);
      await succeeds(ada, ...releaseOf(testImages.blue));
      const second = await secrets();
      await succeeds(ada, ...releaseOf(testImages.green));
      await putBack(second);
      const { said } = await succeeds(ada, ...releaseOf(testImages.blue));
      expect(said).toContain("the copy on this machine is newer");
      await isSettled(ada, bob);
      expectNoFailure();
    },
  );

  test.runIf(isSoak)("more than 1 MiB after compression, killed between two parts", async () => {
    const file = () => ({ "/etc/model/large.txt": noise(250_000) });
    await configure({ configFiles: file() });
    await succeeds(ada, ...(await nextRelease()));
    await configure({ configFiles: file() });
    await succeeds(bob, ...(await nextRelease()));
    const { saved } = (await succeeds(bob, "state", "show")) as {
      saved?: { parts: number; packedBytes: number; set: "a" | "b" };
    };
    expect(saved?.packedBytes).toBeGreaterThan(1024 * 1024);
    expect(saved?.parts).toBeGreaterThan(1);
    await configure({ configFiles: file() });
    const next = names().parts[saved?.set === "a" ? "b" : "a"][1] ?? "";
    const killed = await as(ada, await nextRelease(), {
      ...fault,
      MODELSWITCH_TEST_FAULT_WRITES: next,
    });
    expect(killed.exitCode, killed.stdout).toBe(null);
    // What the head names is whole.
    const exported = await as(bob, ["state", "export"]);
    expect(exported.exitCode, exported.stderr).toBe(0);
    expect((await succeeds(bob, "resume")).said).toContain('"state-taken-over"');
    await isSettled(ada, bob);
    expectNoFailure();
  });

  test.runIf(isSoak)("the states of 500 models beside it slow no command", async () => {
    const time = async () => {
      const times: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        const startedAt = performance.now();
        await succeeds(bob, "state", "show");
        times.push(performance.now() - startedAt);
      }
      return times.toSorted((a, b) => a - b)[1] ?? 0;
    };
    const before = await time();
    const part = randomBytes(20_000).toString("base64");
    const models = Array.from({ length: 500 }, (_, index) =>
      stateNames(`other-${index}`, { project: `modelswitch-other-${index}`, stack: "ml" }),
    );
    const waiting = models.flatMap(({ head, parts }) => [head, parts.a[0] ?? ""]);
    const make = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        await project.namespace.api.json({
          method: "POST",
          path: path(),
          body: { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { part } },
        });
      }
    };
    await Promise.all(Array.from({ length: 10 }, make));
    const after = await time();
    expect(after, `it was ${before} ms`).toBeLessThan(before * 1.5 + 300);
    await isSettled(ada);
    expectNoFailure();
  });

  test("exported, imported, and destroyed: the Secrets go last, and nothing is left", async () => {
    await succeeds(ada, "state", "export", "state.json", "--show-secrets");
    await succeeds(ada, "state", "import", "state.json", "--yes");
    await isSettled(bob);
    expectNoFailure();
    stop.abort();
    await succeeds(bob, "destroy", "--yes");
    expect(await secrets()).toEqual([]);
    expect(await podUids()).toEqual([]);
    // A new one begins as if there had never been one.
    await configure();
    expect((await succeeds(ada, "up")).said).not.toContain("state-deleted");
    await succeeds(bob, "destroy", "--yes");
  });
});
