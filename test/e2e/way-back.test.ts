import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { ModelProject } from "./model-project.ts";
import { configureReleases, imageOf, releasedProject } from "./release-project.ts";
import { until } from "./test-cluster.ts";

/**
 * A zoo of releases that go bad after they are live, each left by `rollback`, by a gate in the soak, and by `switch`, from the machine that
 * released and from one that has only the configuration and the kubeconfig.
 */
let project: ModelProject;

const setup = {
  streamSeconds: 1,
  rollbackWindow: 600,
  steps: "50%",
  replicas: 2,
  settle: 0,
  soak: 0,
  drain: 1,
};
let releases = 0;
/** Each is another one: of the same the pods would stay. */
function toVersion2(): string[] {
  releases += 1;
  return ["release", "--set", `image=${imageOf("2")}`, "--set", `env.RELEASE=${releases}`];
}

beforeAll(async () => {
  project = await releasedProject("back", setup);
});

afterAll(async () => {
  await project.remove();
});

async function podsOf(slot: "blue" | "green"): Promise<string[]> {
  const { name, api } = project.namespace;
  const list = await api.json<{ items: { metadata: { name: string; deletionTimestamp?: string } }[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${name}/pods`,
    query: { labelSelector: `version=${slot}` },
  });
  return list.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}

/** Turns every pod of green bad, while it goes on saying that it is ready. */
async function turn(how: string): Promise<void> {
  const { name, api } = project.namespace;
  for (const pod of await podsOf("green")) {
    await api.request({
      method: "POST",
      path: `/api/v1/namespaces/${name}/pods/${pod}:8080/proxy/turn/${how}`,
    });
  }
}

async function crash(): Promise<void> {
  const { name, api } = project.namespace;
  for (const pod of await podsOf("green")) {
    await api
      .request({
        method: "POST",
        path: `/api/v1/namespaces/${name}/pods/${pod}:8080/proxy/exit`,
        timeoutMs: 5_000,
      })
      .catch(() => undefined);
  }
}

/** Somebody deletes the pods, and nothing makes them again. */
async function removePods(): Promise<void> {
  const { name, api } = project.namespace;
  await api.json({
    method: "PATCH",
    path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-green/scale`,
    contentType: "application/merge-patch+json",
    body: { spec: { replicas: 0 } },
  });
  await until("the pods of green are gone", async () => (await podsOf("green")).length === 0);
}

/** How the next answers at the ingress look as clients get them, the versions of `count` of them. */
async function answers(count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const url = `${process.env.MODELSWITCH_TEST_INGRESS_URL ?? ""}/v2/models/demo/infer`;
    const response = await request(url, {
      method: "POST",
      headers: { host: project.host, "content-type": "application/json" },
      body: JSON.stringify({ inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] }),
      headersTimeout: 10_000,
    });
    await response.body.dump();
    seen.push(
      response.statusCode === 200
        ? String(response.headers["x-model-version"])
        : `HTTP ${response.statusCode}`,
    );
  }
  return seen;
}

interface Line {
  readonly type: string;
  readonly code?: string;
  readonly id?: string;
  readonly state?: string;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);

/** Clients are on the good slot, it has its full size, and nobody holds the lock. */
async function expectBack(): Promise<void> {
  expect(new Set(await answers(20))).toEqual(new Set(["1"]));
  const { name, api } = project.namespace;
  const deployment = await api.json<{ spec: { replicas: number }; status: { readyReplicas?: number } }>({
    method: "GET",
    path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-blue`,
  });
  expect(deployment).toMatchObject({ spec: { replicas: 2 }, status: { readyReplicas: 2 } });
  const lease = await api.find(`/apis/coordination.k8s.io/v1/namespaces/${name}/leases/fraud-modelswitch`);
  expect(lease).toBeUndefined();
}

const kinds: Readonly<Record<string, () => Promise<void>>> = {
  "HTTP 500 on everything": () => turn("errors"),
  "HTTP 500 on the identity path": () => turn("identity"),
  "no answer": () => turn("hang"),
  "one answer in three wrong": () => turn("third"),
  "ten times as slow": () => turn("slow"),
  "memory that climbs": () => turn("memory"),
  "a crash loop": crash,
  "no pods any more": removePods,
};

/** An empty folder on a machine that has the kubeconfig alone: no configuration, no state, no passphrase. */
async function elsewhere(args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "elsewhere-"));
  const kubeconfig = parse(await readFile(project.namespace.kubeconfigPath, "utf8")) as {
    contexts: { context: { namespace?: string } }[];
  };
  for (const { context } of kubeconfig.contexts) context.namespace = project.namespace.name;
  const path = join(folder, "kubeconfig");
  await writeFile(path, stringify(kubeconfig), { mode: 0o600 });
  const env = { PULUMI_CONFIG_PASSPHRASE: undefined, KUBECONFIG: path };
  const result = await project.command([...args, "--model", "fraud"], { cwd: folder, env });
  await rm(folder, { recursive: true, force: true });
  return result;
}

/** What begins before clients are where they should be. */
function stepsBegun(stdout: string): (string | undefined)[] {
  return linesOf(stdout)
    .filter(({ type, state }) => type === "step" && state === "started")
    .map(({ id }) => id);
}

/** The ways to leave it; each ends with clients on blue. */
const ways: Readonly<Record<string, (spoil: () => Promise<void>) => Promise<void>>> = {
  "`rollback`": async (spoil) => {
    await project.result(toVersion2());
    await spoil();
    const { exitCode, stdout, stderr } = await project.command(["rollback", "--json"]);
    expect(exitCode, stdout + stderr).toBe(0);
    // Nothing was waited for before clients were sent back.
    expect(stepsBegun(stdout).slice(0, 2)).toEqual([
      "identities",
      expect.stringMatching(/^write-(shift|commit)$/),
    ]);
  },
  "`rollback` from a machine that has only the kubeconfig": async (spoil) => {
    await project.result(toVersion2());
    await spoil();
    const away = await elsewhere(["rollback", "--json"]);
    expect(away.exitCode, away.stdout).toBe(5);
    expect(linesOf(away.stdout).at(-1)).toMatchObject({
      type: "error",
      error: { code: "rollback-unfinished" },
    });
    await expectBack();
    const { exitCode, stdout } = await project.command(["resume", "--json"]);
    expect(exitCode, stdout).toBe(0);
    expect(await podsOf("green")).toEqual([]);
  },
  "`switch`": async (spoil) => {
    await project.result(toVersion2());
    await spoil();
    const result = await project.result(["switch", "blue"]);
    expect(result).toMatchObject({ target: "blue", from: "green", alreadyThere: false });
  },
  "a gate in the soak": async (spoil) => {
    const flag = join(project.folder, "bad");
    const gate = { name: "calm", every: 1, run: ["sh", "-c", `test ! -e '${flag}'`] };
    await configureReleases(project, { ...setup, soak: 120, gates: [gate] });
    let hasEnded = false;
    const releasing = project.command([...toVersion2(), "--json"]).finally(() => {
      hasEnded = true;
    });
    await until("the release is soaked", async () => {
      const status = await project.result(["status"]);
      const phase = (status.rollout as { phase?: string } | null)?.phase;
      if (hasEnded) throw new Error(`It ended: ${(await releasing).stdout}`);
      return phase === "soak";
    });
    await spoil();
    await writeFile(flag, "");
    const { exitCode, stdout } = await releasing;
    await rm(flag);
    await configureReleases(project, setup);
    expect(exitCode, stdout).toBe(3);
  },
};

// Every way from every kind in the long run; in the ordinary one each kind and each way at least once.
const isLong = process.env.MODELSWITCH_TEST_SOAK === "1";
const pairs = Object.keys(kinds).flatMap((kind, at) =>
  Object.keys(ways)
    .filter((_way, index) => isLong || index === at % Object.keys(ways).length)
    .map((way) => [kind, way] as const),
);

describe("a release that goes bad after it is live", () => {
  beforeEach(async () => {
    // Green may be what an earlier test left there.
    expect(new Set(await answers(3))).toEqual(new Set(["1"]));
  });

  test.each(pairs)("%s: left by %s", async (kind, way) => {
    await ways[way]?.(async () => await kinds[kind]?.());
    await expectBack();
  });

  test("after a switch away from it Pulumi's state says what the cluster says", async () => {
    await project.result(toVersion2());
    await turn("identity");
    await project.result(["switch", "blue"]);
    const { exitCode, stdout } = await project.command(["plan", "--json"]);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).not.toContain('"Ingress"');
  });
});
