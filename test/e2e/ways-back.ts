import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { parse, stringify } from "yaml";
import { RecordStore } from "../../src/rollout/record/record-store.ts";
import { type Badness, podsOf } from "./bad-releases.ts";
import type { ProcessResult } from "./cli-process.ts";
import { Clients } from "./clients.ts";
import type { ModelProject } from "./model-project.ts";
import { configureReleases, imageOf, type ReleaseSetup } from "./release-project.ts";
import { until } from "./test-cluster.ts";

export const setup: ReleaseSetup = {
  streamSeconds: 1,
  rollbackWindow: 600,
  steps: "100%",
  replicas: 2,
  settle: 0,
  soak: 0,
  drain: 1,
};

interface Line {
  readonly type: string;
  readonly id?: string;
  readonly state?: string;
  readonly error?: { readonly code: string };
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);

/** Runs a command in an empty folder on a machine that has the kubeconfig alone: no configuration, no copy of the state, no passphrase. */
export async function elsewhere(project: ModelProject, args: readonly string[]): Promise<ProcessResult> {
  const folder = await mkdtemp(join(tmpdir(), "elsewhere-"));
  const kubeconfig = parse(await readFile(project.namespace.kubeconfigPath, "utf8")) as {
    contexts: { context: { namespace?: string } }[];
  };
  for (const { context } of kubeconfig.contexts) context.namespace = project.namespace.name;
  const path = join(folder, "kubeconfig");
  await writeFile(path, stringify(kubeconfig), { mode: 0o600 });
  const env = {
    PULUMI_CONFIG_PASSPHRASE: undefined,
    KUBECONFIG: path,
    MODELSWITCH_STATE: join(folder, "machine"),
  };
  const result = await project.command([...args, "--model", "fraud", "--json"], { cwd: folder, env });
  await rm(folder, { recursive: true, force: true });
  return result;
}

let releases = 0;

/** A release that goes bad, and where it is left. */
export interface Scene {
  readonly project: ModelProject;
  readonly bad: Badness;
}

/** Arguments of a release into green; each is another one: of the same the pods would stay. */
async function toVersion2({ bad }: Scene): Promise<string[]> {
  releases += 1;
  const more = (await bad.prepare?.()) ?? [];
  return ["release", "--set", `image=${imageOf("2")}`, "--set", `env.RELEASE=${releases}`, ...more];
}

async function goneBad(scene: Scene): Promise<void> {
  await scene.project.result(await toVersion2(scene));
  await scene.bad.spoil();
}

interface Left {
  readonly result: ProcessResult;
  /** From its start until clients are on the good slot. */
  readonly ms: number;
}

/** Runs what leaves the bad release, under the eyes of clients. */
async function leave({ project, bad }: Scene, command: () => Promise<ProcessResult>): Promise<Left> {
  const clients = new Clients(project);
  try {
    let isOver = false;
    const start = performance.now();
    const running = command().finally(() => {
      isOver = true;
    });
    await Promise.race([clients.untilOn("1", () => isOver), running]);
    await bad.whenBack?.();
    const result = await running;
    return { result, ms: await clients.lastOther("1", start) };
  } finally {
    clients.stop();
  }
}

function expectEnd({ exitCode, stdout, stderr }: ProcessResult, code: number): void {
  expect(exitCode, `${stdout}\n${stderr}`).toBe(code);
}

/** Clients are back, and all else is done: the state is in the cluster. */
async function expectFinished({ project }: Scene, { result }: Left): Promise<void> {
  expectEnd(result, 0);
  await expectBack(project);
  const plan = await project.command(["plan", "--json"]);
  expectEnd(plan, 0);
  expect(plan.stdout).not.toContain('"Ingress"');
}

/** A release of version 2 that stays in its soak until somebody ends it. */
async function soaking(scene: Scene, changes: Partial<ReleaseSetup>) {
  const { project } = scene;
  await configureReleases(project, { ...setup, soak: 120, ...changes });
  let hasEnded = false;
  const running = project.command([...(await toVersion2(scene)), "--json"]).finally(() => {
    hasEnded = true;
  });
  const { api, name } = project.namespace;
  const record = new RecordStore(api, name, "fraud");
  await until("the release is soaked", async () => {
    if (hasEnded) throw new Error(`It ended: ${(await running).stdout}`);
    return (await record.read())?.rollout?.state.phase === "soak";
  });
  await scene.bad.spoil();
  return {
    running,
    over: () => configureReleases(project, setup),
  };
}

/** Clients are on the good slot, it has its full size, and nobody holds the lock. */
export async function expectBack(project: ModelProject): Promise<void> {
  const { name, api } = project.namespace;
  const deployment = await api.json<object>({
    method: "GET",
    path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-blue`,
  });
  expect(deployment).toMatchObject({ spec: { replicas: 2 }, status: { readyReplicas: 2 } });
  const lease = await api.find(`/apis/coordination.k8s.io/v1/namespaces/${name}/leases/fraud-modelswitch`);
  expect(lease).toBeUndefined();
}

/** The ways to leave a release that has gone bad; each ends with clients on blue, and says after how many milliseconds they were there. */
export const waysBack: Readonly<Record<string, (scene: Scene) => Promise<number>>> = {
  "`rollback`": async (scene) => {
    await goneBad(scene);
    const { result, ms } = await leave(scene, () => scene.project.command(["rollback", "--json"]));
    expectEnd(result, 0);
    // Nothing was waited for before clients were sent back.
    const begun = linesOf(result.stdout).filter(({ type, state }) => type === "step" && state === "started");
    expect(begun.slice(0, 2).map(({ id }) => id)).toEqual([
      "identities",
      expect.stringMatching(/^write-(shift|commit)$/),
    ]);
    return ms;
  },

  "`rollback` from a machine that has only the kubeconfig": async (scene) => {
    await goneBad(scene);
    const left = await leave(scene, () => elsewhere(scene.project, ["rollback"]));
    // Whoever led traffic back from there can look there, too.
    const status = await elsewhere(scene.project, ["status"]);
    expectEnd(status, 0);
    expect(JSON.parse(status.stdout)).toMatchObject({ model: "fraud", live: "blue" });
    await expectFinished(scene, left);
    expect(await podsOf(scene.project, "green")).toEqual([]);
    return left.ms;
  },

  "`switch`": async (scene) => {
    await goneBad(scene);
    const { result, ms } = await leave(scene, () => scene.project.command(["switch", "blue", "--json"]));
    expectEnd(result, 0);
    expect(linesOf(result.stdout).at(-1)).toMatchObject({
      target: "blue",
      from: "green",
      alreadyThere: false,
    });
    // Pulumi's state says what the cluster says.
    const plan = await scene.project.command(["plan", "--json"]);
    expectEnd(plan, 0);
    expect(plan.stdout).not.toContain('"Ingress"');
    return ms;
  },

  "`switch` from a machine that has only the kubeconfig": async (scene) => {
    await goneBad(scene);
    const left = await leave(scene, () => elsewhere(scene.project, ["switch", "blue"]));
    await expectFinished(scene, left);
    return left.ms;
  },

  "a gate in the soak": async (scene) => {
    const flag = join(scene.project.folder, "bad");
    const gate = { name: "calm", every: 1, run: ["sh", "-c", `test ! -e '${flag}'`] };
    const { running, over } = await soaking(scene, { gates: [gate] });
    const { result, ms } = await leave(scene, async () => {
      await writeFile(flag, "");
      return await running;
    });
    await rm(flag);
    await over();
    expectEnd(result, 3);
    return ms;
  },

  "`abort` in the soak from a machine that has only the kubeconfig": async (scene) => {
    const { running, over } = await soaking(scene, {});
    const { result, ms } = await leave(scene, async () => {
      const aborted = await elsewhere(scene.project, ["abort"]);
      await running;
      return aborted;
    });
    await over();
    expectEnd(result, 0);
    return ms;
  },
};
