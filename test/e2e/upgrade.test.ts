import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { recordVersion } from "../../src/rollout/record/record-upgrades.ts";
import { resultOf } from "./cli-process.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { until, versionAt } from "./test-cluster.ts";

/**
 * A model that modelswitch 0.1.0 made: two slots, after a switch to green. The fixture holds what it left: its Pulumi state, its
 * objects with the field managers that wrote them, its rollout record and its configuration file. This version takes all
 * of it over without a change of what runs.
 */
const fixture = join(import.meta.dirname, "..", "fixtures", "upgrades", "0.1.0");
const placeholder = "fixture-namespace";

interface WrittenObject {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly object: KubernetesObject & { readonly kind: string; readonly metadata: { readonly name: string } };
}

const collections: Readonly<Record<string, (namespace: string) => string>> = {
  Service: (namespace) => `/api/v1/namespaces/${namespace}/services`,
  ConfigMap: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
  Deployment: (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  Ingress: (namespace) => `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
};

let project: ModelProject;

async function fromFixture(file: string): Promise<string> {
  return (await readFile(join(fixture, file), "utf8")).replaceAll(placeholder, project.namespace.name);
}

/** Puts the objects into the cluster as 0.1.0 wrote them, field managers included. Returns their uids by the fixture's. */
async function restoreObjects(): Promise<ReadonlyMap<string, string>> {
  const { api, name } = project.namespace;
  const uids = new Map<string, string>();
  for (const { manager, operation, object } of JSON.parse(
    await fromFixture("objects.json"),
  ) as WrittenObject[]) {
    const path = collections[object.kind]?.(name) ?? "";
    const query = { fieldManager: manager };
    const created = await api.json<{ metadata: { uid: string } }>(
      operation === "Update"
        ? { method: "POST", path, query, body: object }
        : { method: "PATCH", path: `${path}/${object.metadata.name}`, query, body: object },
    );
    uids.set(`${object.kind} ${object.metadata.name}`, created.metadata.uid);
  }
  return uids;
}

/** The state, as if its objects were these: the API server gives every object a uid of its own. */
function withUids(text: string, uids: ReadonlyMap<string, string>): string {
  const state = JSON.parse(text) as {
    checkpoint: {
      latest: { resources: { outputs?: { kind?: string; metadata?: { name: string; uid: string } } }[] };
    };
  };
  for (const { outputs } of state.checkpoint.latest.resources) {
    const uid = uids.get(`${outputs?.kind} ${outputs?.metadata?.name}`);
    if (outputs?.metadata !== undefined && uid !== undefined) outputs.metadata.uid = uid;
  }
  return JSON.stringify(state);
}

/** The project's folder as 0.1.0 left it. */
async function restoreFolder(uids: ReadonlyMap<string, string>): Promise<void> {
  const { folder, namespace } = project;
  const files: Readonly<Record<string, string>> = {
    "modelswitch.config.ts": await fromFixture("modelswitch.config.ts"),
    ".modelswitch/pulumi/modelswitch-fraud/Pulumi.yaml": "runtime: nodejs\nname: modelswitch-fraud\n",
    [`.modelswitch/pulumi/modelswitch-fraud/Pulumi.${namespace.name}.yaml`]:
      await fromFixture("Pulumi.stack.yaml"),
    ".modelswitch/state/.pulumi/meta.yaml": "version: 1\n",
    [`.modelswitch/state/.pulumi/stacks/modelswitch-fraud/${namespace.name}.json`]: withUids(
      await fromFixture("stack.json"),
      uids,
    ),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** What would change if a pod was made anew. */
async function running() {
  const { api, name } = project.namespace;
  const list = <T>(path: string) => api.json<{ items: T[] }>({ method: "GET", path });
  const pods = await list<{ metadata: { uid: string; deletionTimestamp?: string } }>(
    `/api/v1/namespaces/${name}/pods`,
  );
  const deployments = await list<{ metadata: { name: string }; spec: { template: unknown } }>(
    `/apis/apps/v1/namespaces/${name}/deployments`,
  );
  return {
    pods: pods.items.map(({ metadata }) => metadata.uid).sort(),
    templates: Object.fromEntries(
      deployments.items.map(({ metadata, spec }) => [metadata.name, spec.template] as const),
    ),
  };
}

async function recordText(): Promise<string> {
  const { api, name } = project.namespace;
  const found = await api.find<{ data?: { record?: string } }>(
    `/api/v1/namespaces/${name}/configmaps/fraud-modelswitch`,
  );
  return found?.data?.record ?? "";
}

beforeAll(async () => {
  project = await ModelProject.create("upgrade");
  await restoreFolder(await restoreObjects());
  await project.namespace.untilReady("fraud-blue", 1);
  await project.namespace.untilReady("fraud-green", 2);
  await until("green answers", async () => (await versionAt(project.host)) === "2");
});

afterAll(async () => {
  await project?.remove();
});

test("a model of 0.1.0 is shown as it is, before anything was upgraded", async () => {
  expect(JSON.parse(await recordText())).toMatchObject({ schemaVersion: 1 });
  expect(await project.result(["status"])).toMatchObject({
    live: "green",
    slots: { blue: { release: 1, ready: true }, green: { release: 2, ready: true } },
    lastSwitch: { by: "ada@laptop" },
  });
  expect(JSON.parse(await recordText())).toMatchObject({ schemaVersion: 1 });
});

test("`up` takes it over: no pod template changes, no pod is new, no request fails", async () => {
  const before = await running();
  const stop = new AbortController();
  const load = project.startLoad(20, stop.signal);
  const result = await project.result(["up"]).finally(() => stop.abort());
  const report = load.snapshot();
  expect(result).toMatchObject({
    live: "green",
    releases: { blue: 1, green: 2 },
    proof: { state: "proved" },
  });
  expect(await running()).toEqual(before);
  expect(report.failed, failuresOf(report)).toBe(0);
  expect(report.requests).toBeGreaterThan(0);
  expect(JSON.parse(await recordText())).toMatchObject({ schemaVersion: recordVersion, environment: null });
  expect(await project.result(["up"])).toMatchObject({ changes: [] });
});

test("its state stays in the folder until somebody agrees to move it; then any machine has it, without the passphrase", async () => {
  const { name, folder } = project.namespace;
  const inFolder = join(project.folder, ".modelswitch/state/.pulumi/stacks/modelswitch-fraud");
  expect(await project.result(["state", "show"])).toMatchObject({ place: "folder", recorded: null });
  const before = await running();
  const moved = await project.command(["up", "--yes", "--json"]);
  expect(moved.exitCode, moved.stdout).toBe(0);
  expect(await running()).toEqual(before);
  expect(await readdir(inFolder)).toContain(`${name}.json.moved`);
  expect(await project.result(["state", "show"])).toMatchObject({
    place: "cluster",
    recorded: { stack: name, backend: null },
  });
  const elsewhere = {
    PULUMI_CONFIG_PASSPHRASE: undefined,
    MODELSWITCH_STATE: join(folder, "another-machine"),
  };
  const plan = await project.command(["plan", "--json"], { env: elsewhere });
  expect(plan.exitCode, plan.stdout + plan.stderr).toBe(0);
  expect(resultOf(plan.stdout)).toMatchObject({ changes: [] });
});

test("it goes on as one of this version: a switch, and nothing left after `destroy`", async () => {
  expect(await project.result(["switch", "blue"])).toMatchObject({ from: "green", target: "blue" });
  expect(await versionAt(project.host)).toBe("1");
  await project.result(["destroy", "--yes", "--remove-stack"]);
  expect((await running()).templates).toEqual({});
});
