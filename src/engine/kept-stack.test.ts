import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeCluster } from "../../test/support/rollout-bench.ts";
import { UserError } from "../core/errors.ts";
import type { Event } from "../core/events.ts";
import type { KubernetesObject } from "../kubernetes/api.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { keptFolders } from "./kept-copy.ts";
import { KeptStack } from "./kept-stack.ts";
import type { Stack, StackOptions } from "./stack.ts";
import { readStateText, writeStateText } from "./state-file.ts";

const id = { project: "modelswitch-fraud", stack: "ml" };
const at = "/api/v1/namespaces/ml/secrets";
const head = `${at}/fraud-modelswitch.ml`;
const done = { changes: [], same: 0, outputs: {}, durationMs: 0 };

let cluster: FakeCluster;
let clock: FakeClock;
let events: Event[];
/** What was asked of the stacks on machines, in order, with the state that they found. */
let calls: string[];
/** What an `up` leaves. */
let next: string | undefined;
/** What an `up` ends with after it has written. */
let failure: Error | undefined;
let keys: Set<string>;
const folders: string[] = [];

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock();
  events = [];
  calls = [];
  next = undefined;
  failure = undefined;
  keys = new Set();
});

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const stateText = (...names: readonly string[]) =>
  JSON.stringify({
    version: 3,
    checkpoint: {
      latest: {
        resources: names.map((name) => ({ urn: name, type: "kubernetes:core/v1:Service", id: `ml/${name}` })),
      },
    },
  });

/** A stack whose engine does nothing but write a state. */
async function openFake(options: StackOptions): Promise<Stack> {
  const { stateFolder } = keptFolders(options.folder, id.project);
  if (options.secrets.kind === "passphrase") keys.add(options.secrets.passphrase);
  const found = async () => await readStateText(stateFolder, id.project, id.stack);
  const named = async (what: string) => calls.push(`${what} ${namesIn(await found())}`);
  return {
    preview: async () => {
      await named("preview");
      await writeStateText(stateFolder, id.project, id.stack, "scribbled");
      return done;
    },
    up: async () => {
      await named("up");
      if (next !== undefined) await writeStateText(stateFolder, id.project, id.stack, next);
      if (failure !== undefined) throw failure;
      return done;
    },
    refresh: async () => done,
    destroy: async () => {
      await named("destroy");
      await writeStateText(stateFolder, id.project, id.stack, stateText());
      return done;
    },
    resources: async () => [],
    check: async () => {
      await named("check");
      return (await found()) === undefined ? undefined : [];
    },
    takeIn: async () => {},
    recover: async () => {
      await named("recover");
      if (failure !== undefined) throw failure;
    },
    exportState: found,
    importState: (text) => writeStateText(stateFolder, id.project, id.stack, text),
    removeState: () => Promise.resolve(false),
    outputs: async () => undefined,
  };
}

function namesIn(text: string | undefined): string {
  if (text === undefined) return "nothing";
  const { checkpoint } = JSON.parse(text) as { checkpoint: { latest: { resources: { urn: string }[] } } };
  return checkpoint.latest.resources.map(({ urn }) => urn).join("+") || "empty";
}

/** One user on one machine. */
async function user(by: string) {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-kept-"));
  folders.push(folder);
  const state = new ClusterState({ api: cluster, namespace: "ml", model: "fraud", id, by, clock });
  const stack = (isRecorded = false) =>
    new KeptStack(
      {
        ...id,
        folder: "/project",
        secrets: { kind: "passphrase", passphrase: "" },
        program: async () => undefined,
        kubeconfig: {},
        events: (event) => events.push(event),
        signal: new AbortController().signal,
      },
      { state, folder, isRecorded, open: openFake, clock },
    );
  return {
    folder,
    stack,
    up: async (...names: readonly string[]) => {
      next = stateText(...names);
      await stack().up();
    },
    /** The command is killed when its engine has written so much. */
    killed: async (...names: readonly string[]) => {
      next = stateText(...names);
      const { intercept } = cluster;
      failure = new Error("killed");
      // What it would do afterwards never happens.
      let isBegun = false;
      cluster.intercept = ({ method }) => {
        if (isBegun) throw new Error("killed");
        isBegun = method !== "GET";
        return undefined;
      };
      await stack()
        .up()
        .catch(() => undefined);
      cluster.intercept = intercept;
      failure = undefined;
      events.length = 0;
    },
    copy: async () =>
      namesIn(await readStateText(keptFolders(folder, id.project).stateFolder, id.project, id.stack)),
  };
}

const codes = () => events.flatMap((event) => (event.type === "warning" ? [event.code] : []));
const secrets = () => cluster.requests.filter(({ method }) => method !== "GET");

describe("a stack whose state is in the cluster", () => {
  test("goes on on another machine where the first one left it", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    await bob.up("blue", "green");
    await ada.up("blue");
    expect(calls).toEqual(["up nothing", "up blue", "up blue+green"]);
    expect(await bob.stack().resources()).toEqual([{ kind: "Service", id: "ml/blue", retained: false }]);
    expect(codes()).toEqual([]);
    expect(keys.size).toBe(1);
  });

  test("is kept also where the operation fails", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    failure = new Error("the slot did not become ready");
    await expect(ada.up("blue")).rejects.toThrow("did not become ready");
    failure = undefined;
    await bob.up("blue");
    expect(calls).toEqual(["up nothing", "up blue"]);
  });

  test("killed here, the copy of this machine is gone on with, and nothing is fetched", async () => {
    const ada = await user("ada@laptop");
    await ada.up("blue");
    await ada.killed("blue", "half");
    await ada.up("blue", "green");
    expect(calls.at(-1)).toBe("up blue+half");
    expect(calls.some((call) => call.startsWith("recover"))).toBe(false);
    expect(events).toMatchObject([
      { type: "info", message: expect.stringContaining("did not come to its end") },
    ]);
  });

  test("killed elsewhere, the state before is gone on with, and the cluster is read into it first", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    await ada.killed("blue", "half");
    await bob.up("blue", "green");
    expect(calls.slice(-2)).toEqual(["recover blue", "up blue"]);
    expect(codes()).toEqual(["state-taken-over"]);
    // The first one comes back: somebody wrote since, so its own copy is of no use.
    await ada.up("blue", "green");
    expect(calls.at(-1)).toBe("up blue+green");
  });

  test("what could not be read then is read by the next one", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    await ada.killed("blue", "half");
    failure = new Error("the API server is away");
    await expect(bob.up("blue")).rejects.toThrow("away");
    failure = undefined;
    await ada.up("blue");
    expect(calls.slice(-2)).toEqual(["recover blue", "up blue"]);
    await bob.up("blue");
    expect(calls.at(-1)).toBe("up blue");
    expect(calls.filter((call) => call.startsWith("recover"))).toHaveLength(2);
  });

  test("killed at the very first operation, the next machine begins anew with the same key", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.killed("half");
    await bob.up("blue");
    expect(calls.at(-1)).toBe("up nothing");
    expect(keys.size).toBe(1);
  });

  test("deleted by somebody, a new one begins with a new key, and that is said", async () => {
    const ada = await user("ada@laptop");
    await ada.up("blue");
    for (const path of [head, `${head}.a0`]) cluster.remove(path);
    expect(await ada.stack().resources()).toEqual([]);
    expect(await ada.stack().check()).toBeUndefined();
    next = stateText("blue");
    await ada.stack(true).up();
    expect(calls.at(-1)).toBe("up nothing");
    expect(codes()).toEqual(["state-deleted"]);
    expect(keys.size).toBe(3);
  });

  test("rolled back by somebody, a newer copy of this machine counts, and the cluster is read into it", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    const before = [head, `${head}.a0`].map((path) => [path, cluster.get(path) ?? {}] as const);
    await ada.up("blue", "green");
    const putBack = () => {
      for (const [path, object] of before) cluster.put(path, manually(object));
    };
    putBack();
    await ada.up("blue", "green");
    expect(calls.slice(-2)).toEqual(["recover blue+green", "up blue+green"]);
    // A machine that never had the newer one has the Secret's, and reads the cluster, too.
    putBack();
    await bob.up("blue", "green");
    expect(calls.slice(-2)).toEqual(["recover blue", "up blue"]);
    expect(codes()).toEqual(["state-rolled-back", "state-rolled-back"]);
  });

  test("a part that is lost: this machine's copy counts; without one a new state begins", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    cluster.remove(`${head}.a0`);
    expect(await bob.stack().resources()).toEqual([]);
    await ada.up("blue");
    expect(calls.at(-1)).toBe("up blue");
    const set = JSON.parse(Buffer.from(String(dataOf(head).head), "base64").toString()) as {
      saved: { set: string };
    };
    cluster.remove(`${head}.${set.saved.set}0`);
    await bob.up("blue");
    expect(calls.at(-1)).toBe("up nothing");
    expect(codes()).toEqual(["state-damaged"]);
  });

  test("what only looks leaves nothing behind, neither in the cluster nor in the copy", async () => {
    const ada = await user("ada@laptop");
    await ada.stack().preview();
    expect(secrets()).toEqual([]);
    expect(await readdir(ada.folder)).toEqual([]);
    await ada.up("blue");
    cluster.requests.length = 0;
    await ada.stack().preview();
    await ada.stack().check();
    await ada.stack().exportState();
    expect(secrets()).toEqual([]);
    expect(await ada.copy()).toBe("blue");
    expect(calls.slice(-2)).toEqual(["preview blue", "check blue"]);
  });

  test("a state that the API server did not take stays here, and the next command brings it there", async () => {
    const [ada, bob] = [await user("ada@laptop"), await user("bob@desk")];
    await ada.up("blue");
    let puts = 0;
    cluster.intercept = ({ method }) => {
      if (method !== "GET") puts += 1;
      if (puts < 2) return undefined;
      throw new UserError({ code: "cluster-unreachable", message: "It is away." });
    };
    const began = clock.now();
    await ada.up("blue", "green");
    expect(clock.now() - began).toBeGreaterThanOrEqual(30_000);
    expect(codes()).toEqual(["state-unsaved"]);
    cluster.intercept = undefined;
    await ada.up("blue", "green");
    await bob.up("blue", "green");
    expect(calls.slice(-2)).toEqual(["up blue+green", "up blue+green"]);
  });

  test("an outage that is over soon is nobody's news", async () => {
    const ada = await user("ada@laptop");
    let writes = 0;
    // The head is written; then three times nothing comes through.
    cluster.intercept = ({ method }) => {
      if (method !== "GET") writes += 1;
      if (method === "GET" || writes < 2 || writes > 4) return undefined;
      throw new UserError({ code: "cluster-unreachable", message: "It is away." });
    };
    await ada.up("blue");
    cluster.intercept = undefined;
    expect(codes()).toEqual([]);
    expect(await (await user("bob@desk")).stack().resources()).toHaveLength(1);
  });

  test("of what is not there nothing is begun", async () => {
    const ada = await user("ada@laptop");
    await ada.stack().destroy();
    await ada.stack().refresh();
    expect(secrets()).toEqual([]);
    expect(calls).toEqual([]);
  });

  test("removed, both copies are gone", async () => {
    const ada = await user("ada@laptop");
    await ada.up("blue");
    await ada.stack().destroy();
    expect(await ada.stack().removeState()).toBe(true);
    expect(cluster.get(head)).toBeUndefined();
    expect(existsSync(ada.folder)).toBe(false);
  });

  test("the copy is this user's alone, and the key is in no file of it", async () => {
    const ada = await user("ada@laptop");
    await ada.up("blue");
    const key = Buffer.from(String(dataOf(head).key), "base64").toString();
    const files = await readdir(ada.folder, { recursive: true, withFileTypes: true });
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      if (!file.isFile()) continue;
      const { readFile } = await import("node:fs/promises");
      expect(await readFile(path, "utf8")).not.toContain(key);
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
    expect(JSON.stringify(events)).not.toContain(key);
  });
});

/** As another tool than modelswitch writes it. */
function manually(object: KubernetesObject): KubernetesObject {
  const managedFields = [
    { manager: "kubectl-replace", operation: "Update", fieldsV1: { "f:data": { "f:head": {} } } },
  ];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function dataOf(path: string): Readonly<Record<string, unknown>> {
  return (cluster.get(path)?.data ?? {}) as Readonly<Record<string, unknown>>;
}
