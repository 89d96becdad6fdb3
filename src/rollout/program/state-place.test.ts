import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { denying, FakeClock, FakeCluster, refusal, testConfig } from "../../../test/support/rollout-bench.ts";
import type { Event } from "../../core/events.ts";
import { writeStateText } from "../../engine/state-file.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { ModelStack } from "./model-stack.ts";
import { modelState, sayPlace } from "./model-state.ts";
import { findStatePlace, type StatePlaceOptions } from "./state-place.ts";
import { recordedPlace } from "./state-record.ts";

let cluster: FakeCluster;
let folder: string;
let home: string;

beforeEach(async () => {
  cluster = new FakeCluster();
  folder = await mkdtemp(join(tmpdir(), "modelswitch-place-"));
  home = join(folder, "home");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const secrets = "/api/v1/namespaces/ml/secrets";
const resource = { urn: "a", type: "kubernetes:core/v1:Service", id: "ml/a" };

function options(
  pulumi: Partial<StatePlaceOptions["config"]["pulumi"]> = {},
  record?: RolloutRecord,
): StatePlaceOptions {
  const config = testConfig();
  return {
    config: {
      ...config,
      folder,
      pulumi: {
        project: "modelswitch-fraud",
        stack: "ml",
        backendUrl: undefined,
        secretsProvider: undefined,
        ...pulumi,
      },
    },
    namespace: "ml",
    api: cluster,
    env: { MODELSWITCH_STATE: home },
    operator: "ada@laptop",
    clock: new FakeClock(),
    signal: new AbortController().signal,
    record: () => Promise.resolve(record),
  };
}

const inFolder = (resources: readonly unknown[] = [resource]) =>
  writeStateText(
    join(folder, ".modelswitch", "state"),
    "modelswitch-fraud",
    "ml",
    JSON.stringify({ version: 3, checkpoint: { latest: { resources } } }),
  );

describe("where Pulumi's state is", () => {
  test("in the cluster, for a model that has none yet; looking writes nothing there", async () => {
    expect(await findStatePlace(options())).toMatchObject({ kind: "cluster", stored: undefined });
    expect(
      cluster.requests.filter(({ method, path }) => method !== "GET" && !path.includes("selfsubject")),
    ).toEqual([]);
  });

  test.each([
    ["a backend", { backendUrl: "s3://models" }],
    ["a folder", { backendUrl: "file:///srv/state" }],
    ["a secrets provider", { secretsProvider: "awskms://alias/models" }],
  ])("where the configuration names %s it stays, and the cluster is not asked", async (_what, pulumi) => {
    expect(await findStatePlace(options(pulumi))).toEqual({ kind: "configured" });
    expect(cluster.requests).toEqual([]);
  });

  test("in the project's folder, where it began there, until it is moved", async () => {
    await inFolder();
    expect(await findStatePlace(options())).toEqual({
      kind: "folder",
      why: "there",
      mayMove: true,
      isThere: true,
    });
    cluster.intercept = denying("secrets");
    expect(await findStatePlace(options())).toEqual({
      kind: "folder",
      why: "there",
      mayMove: false,
      isThere: true,
    });
  });

  test("an empty state in the folder, of a model that was destroyed, is none", async () => {
    await inFolder([]);
    expect(await findStatePlace(options())).toMatchObject({ kind: "cluster" });
  });

  test("one that cannot be read is somebody's all the same", async () => {
    await inFolder();
    const file = join(folder, ".modelswitch/state/.pulumi/stacks/modelswitch-fraud/ml.json");
    await writeFile(`${file}.gz`, "no gzip");
    await rm(file);
    expect(await findStatePlace(options())).toMatchObject({ kind: "folder", why: "there" });
  });

  test("in the cluster as soon as there is one, whatever the folder has", async () => {
    await inFolder();
    const place = await findStatePlace({ ...options(), config: { ...options().config, folder: home } });
    if (place.kind !== "cluster") throw new Error(place.kind);
    await place.kept.state.begin(undefined, false);
    expect(await findStatePlace(options())).toMatchObject({
      kind: "cluster",
      stored: { head: { serial: 1 } },
    });
  });

  test("in the folder, for an account that may not keep it in the cluster, and that is said", async () => {
    const events: Event[] = [];
    cluster.intercept = denying("secrets");
    const denied = await findStatePlace(options());
    expect(denied).toEqual({ kind: "folder", why: "refused", mayMove: false, isThere: false });
    cluster.intercept = ({ path }) =>
      path.startsWith(secrets) ? refusal(403, "Forbidden", "secrets are forbidden") : undefined;
    expect(await findStatePlace(options())).toEqual(denied);
    sayPlace((event) => events.push(event), options(), denied);
    expect(events).toMatchObject([{ type: "warning", code: "state-in-folder" }]);
  });

  test("the copy's folder is the same for one cluster, namespace and stack, and another for others", async () => {
    const folderOf = async (changes: Partial<StatePlaceOptions> = {}, stack = "ml") => {
      const place = await findStatePlace({ ...options({ stack }), ...changes });
      return place.kind === "cluster" ? place.kept.folder : "";
    };
    const first = await folderOf();
    expect(first.startsWith(join(home, "stacks", "ml-"))).toBe(true);
    expect(await folderOf()).toBe(first);
    expect(await folderOf({}, "production")).not.toBe(first);
    expect(await folderOf({ namespace: "other" })).not.toBe(first);
    cluster.put("/api/v1/namespaces/ml", { metadata: { uid: "of the namespace" } });
    const second = await folderOf();
    expect(second).not.toBe(first);
    cluster.put("/api/v1/namespaces/kube-system", { metadata: { uid: "of the cluster" } });
    expect(await folderOf()).not.toBe(second);
  });
});

describe("what others are told", () => {
  test("the place that more than one machine can reach, without credentials", () => {
    const { config } = options();
    const of = (pulumi: object, kind: "cluster" | "configured") =>
      recordedPlace(
        { pulumi: { ...config.pulumi, ...pulumi } },
        "ml",
        kind === "configured" ? { kind } : ({ kind } as never),
      );
    const id = { project: "modelswitch-fraud", stack: "ml" };
    expect(of({}, "cluster")).toEqual({ ...id, backend: null });
    expect(of({ backendUrl: "https://me:hush@state.example" }, "configured")).toEqual({
      ...id,
      backend: "https://***@state.example",
    });
    expect(of({ backendUrl: "file:///srv" }, "configured")).toBeUndefined();
    expect(
      recordedPlace(config, "ml", { kind: "folder", why: "there", mayMove: true, isThere: true }),
    ).toBeUndefined();
  });
});

describe("moving a folder's state into the cluster", () => {
  test("exports it with its secrets in clear, imports it, and sets the folder's aside", async () => {
    await inFolder();
    const calls: string[] = [];
    const stack = (where: string): Partial<ModelStack> => ({
      exportState: async (how) => {
        calls.push(`export from ${where} ${JSON.stringify(how)}`);
        return "exported";
      },
      importState: async (text) => {
        calls.push(`import ${text} to ${where}`);
      },
    });
    const state = modelState(options(), async ({ kind }) => stack(kind) as ModelStack);
    expect(await state.place()).toMatchObject({ kind: "folder" });
    await state.moveIn();
    expect(calls).toEqual([
      'export from folder {"showSecrets":true,"settled":true}',
      "import exported to cluster",
    ]);
    expect(await state.place()).toMatchObject({ kind: "cluster" });
    // Were the Secret deleted later, an old state would not come back by the way.
    expect(await findStatePlace(options())).toMatchObject({ kind: "cluster" });
  });

  test("a place that could not be asked for is asked for again", async () => {
    const state = modelState(options(), () => Promise.reject(new Error("unused")));
    cluster.intercept = () => {
      throw new Error("away");
    };
    await expect(state.place()).rejects.toThrow("away");
    cluster.intercept = undefined;
    expect(await state.place()).toMatchObject({ kind: "cluster" });
  });
});
