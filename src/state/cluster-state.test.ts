import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeCluster, json, refusal } from "../../test/support/rollout-bench.ts";
import { KubernetesApiError, type KubernetesObject } from "../kubernetes/api.ts";
import { ClusterState, type StoredHead } from "./cluster-state.ts";

const at = "/api/v1/namespaces/ml/secrets";
const name = "fraud-modelswitch.ml";

let cluster: FakeCluster;
let now: number;

beforeEach(() => {
  cluster = new FakeCluster();
  now = Date.parse("2026-11-23T08:00:00Z");
});

/** The state as one user sees it. */
function stateOf(by = "ada@laptop"): ClusterState {
  return new ClusterState({
    api: cluster,
    namespace: "ml",
    model: "fraud",
    id: { project: "modelswitch-fraud", stack: "ml" },
    by,
    clock: { now: () => now },
  });
}

async function begun(state = stateOf()): Promise<StoredHead> {
  const head = await state.begin(await state.load(), false);
  if (head === undefined) throw new Error("somebody was quicker");
  return head;
}

/** One whole operation. */
async function wrote(text: string, state = stateOf()): Promise<StoredHead> {
  const kept = await state.end(await begun(state), text, false);
  if (kept.kind === "taken") throw new Error("taken");
  return kept.stored;
}

const present = async (state = stateOf()) => {
  const stored = await state.load();
  return stored === undefined ? undefined : await state.text(stored.head);
};
const setOf = async () => (await stateOf().load())?.head.saved?.set;
/** A state that does not get smaller. */
const large = () => randomBytes(2_400_000).toString("base64");

/** A copy of all Secrets, to be put back later. */
function backup(): () => void {
  const names = [name, ...["a0", "b0", "a1", "b1"].map((part) => `${name}.${part}`)];
  const found = names.map((one) => [`${at}/${one}`, cluster.get(`${at}/${one}`)] as const);
  return () => {
    for (const [path, object] of found) {
      if (object === undefined) cluster.remove(path);
      else cluster.put(path, object);
    }
  };
}

describe("a stack's state in Secrets", () => {
  test("the first operation makes the head and the key; the state comes after it, and is found by anybody else", async () => {
    const first = await begun();
    expect(first.head).toMatchObject({
      serial: 1,
      open: true,
      by: "ada@laptop",
      at: "2026-11-23T08:00:00.000Z",
    });
    expect(Buffer.from(first.key, "base64")).toHaveLength(32);
    expect(await present()).toBeUndefined();
    await stateOf().end(first, "one", false);
    const bob = stateOf("bob@desk");
    expect(await present(bob)).toBe("one");
    expect(await bob.load()).toMatchObject({
      key: first.key,
      head: { serial: 1, open: false, saved: { set: "a", parts: 1, by: "ada@laptop", serial: 1 } },
    });
  });

  test("the sets take turns, and the key stays", async () => {
    const { key } = await wrote("one");
    await wrote("two", stateOf("bob@desk"));
    expect(await setOf()).toBe("b");
    expect(cluster.get(`${at}/${name}.a0`)).toBeDefined();
    await wrote("three");
    expect(await setOf()).toBe("a");
    expect((await stateOf().load())?.key).toBe(key);
    expect(await present()).toBe("three");
  });

  test("what did not change is not written again", async () => {
    await wrote("one");
    cluster.requests.length = 0;
    await wrote("one");
    expect(cluster.requests.filter(({ method }) => method !== "GET").map(({ path }) => path)).toEqual([
      `${at}/${name}`,
      `${at}/${name}`,
    ]);
  });

  test("an operation that left no state leaves the one before", async () => {
    await wrote("one");
    await stateOf().end(await begun(), undefined, true);
    expect(await present()).toBe("one");
    expect((await stateOf().load())?.head).toMatchObject({ open: false, stale: true });
  });

  test("killed between two parts, the set before is still valid; the next one writes over the rest", async () => {
    const before = large();
    await wrote(before);
    const operation = await begun();
    cluster.intercept = ({ method, path, body }) => {
      const part = method === "POST" ? (body as KubernetesObject).metadata?.name : path.split("/").at(-1);
      if (method !== "GET" && part === `${name}.b1`) throw new Error("killed");
      return undefined;
    };
    await expect(stateOf().end(operation, large(), false)).rejects.toThrow("killed");
    cluster.intercept = undefined;
    expect(cluster.get(`${at}/${name}.b0`)).toBeDefined();
    expect(cluster.get(`${at}/${name}.b1`)).toBeUndefined();
    expect(await present()).toBe(before);
    expect((await stateOf().load())?.head).toMatchObject({ serial: 2, open: true });
    const after = large();
    await wrote(after, stateOf("bob@desk"));
    expect(await present()).toBe(after);
  });

  test("nothing is ever listed, and nothing but its own names is asked for", async () => {
    await wrote(large());
    await present();
    await stateOf().remove();
    for (const { method, path } of cluster.requests) {
      if (method === "POST") expect(path).toBe(at);
      else expect(path).toMatch(new RegExp(`^${at}/fraud-modelswitch\\.ml(\\.[ab]\\d+)?$`));
    }
  });

  test("of two that begin at once one is told to look again", async () => {
    await wrote("one");
    const seen = await stateOf().load();
    expect(await stateOf().begin(seen, false)).toBeDefined();
    expect(await stateOf("bob@desk").begin(seen, false)).toBeUndefined();
    cluster = new FakeCluster();
    expect(await stateOf().begin(undefined, false)).toBeDefined();
    expect(await stateOf("bob@desk").begin(undefined, false)).toBeUndefined();
  });

  test("whoever lost the state to somebody else writes neither head nor parts over theirs", async () => {
    await wrote("one");
    const ada = await begun();
    const theirs = large();
    await wrote(theirs, stateOf("bob@desk"));
    expect(await stateOf().end(ada, large(), false)).toMatchObject({ kind: "taken", by: { by: "bob@desk" } });
    expect(await present()).toBe(theirs);
  });

  test("also where they take over while the parts are written", async () => {
    await wrote("one");
    const ada = await begun();
    const theirs = large();
    cluster.intercept = async ({ method, body }) => {
      if (method !== "POST" || (body as KubernetesObject).metadata?.name !== `${name}.b1`) return undefined;
      cluster.intercept = undefined;
      await wrote(theirs, stateOf("bob@desk"));
      return undefined;
    };
    expect(await stateOf().end(ada, large(), false)).toMatchObject({ kind: "taken" });
    expect(await present()).toBe(theirs);
  });

  test("deleted while it is in use, it is whole again afterwards, with the same key", async () => {
    await wrote("one");
    const operation = await begun();
    for (const one of [name, `${name}.a0`]) cluster.remove(`${at}/${one}`);
    expect(await stateOf().end(operation, "one", false)).toMatchObject({ kind: "restored" });
    expect(await present()).toBe("one");
    expect((await stateOf().load())?.key).toBe(operation.key);
  });

  test("rolled back while it is in use, what the operation has left counts", async () => {
    await wrote("one");
    const putBack = backup();
    await wrote("two");
    const operation = await begun();
    putBack();
    expect(await stateOf().end(operation, "three", false)).toMatchObject({ kind: "restored" });
    expect(await present()).toBe("three");
    expect((await stateOf().load())?.head.serial).toBe(operation.head.serial);
  });

  test("a part that somebody changed or deleted is no state", async () => {
    await wrote("one");
    cluster.put(`${at}/${name}.a0`, { data: { part: Buffer.from("x").toString("base64") } });
    expect(await present()).toBeUndefined();
    cluster.remove(`${at}/${name}.a0`);
    expect(await present()).toBeUndefined();
  });

  test("a Secret that was made anew, or that somebody else wrote, shows it; labels of others do not", async () => {
    const stored = await wrote("one");
    expect(stored.isForeign).toBe(false);
    const found = cluster.get(`${at}/${name}`) ?? {};
    const by = (manager: string, data: object) => ({
      metadata: {
        ...found.metadata,
        managedFields: [{ manager, operation: "Update", fieldsType: "FieldsV1", fieldsV1: data }],
      },
    });
    const isForeign = async (changes: KubernetesObject) => {
      cluster.put(`${at}/${name}`, { ...found, ...changes });
      return (await stateOf().load())?.isForeign;
    };
    expect(await isForeign(by("kubectl-replace", { "f:data": { "f:head": {} } }))).toBe(true);
    expect(await isForeign(by("modelswitch", { "f:data": { "f:head": {}, "f:key": {} } }))).toBe(false);
    expect(await isForeign(by("labeller", { "f:metadata": { "f:labels": {} } }))).toBe(false);
    // It knows its UID from the second operation on.
    expect(await isForeign({ metadata: { ...found.metadata, uid: "first" } })).toBe(false);
    await wrote("two");
    const known = cluster.get(`${at}/${name}`) ?? {};
    cluster.put(`${at}/${name}`, { ...known, metadata: { ...known.metadata, uid: "another" } });
    expect((await stateOf().load())?.isForeign).toBe(true);
    await wrote("three");
    expect((await stateOf().load())?.isForeign).toBe(false);
  });

  test("removed, nothing is left, also of a removal that was killed", async () => {
    await wrote(large());
    await wrote(large());
    cluster.remove(`${at}/${name}.a0`);
    expect(await stateOf().remove()).toBe(true);
    for (const part of ["", ".a0", ".a1", ".b0", ".b1"])
      expect(cluster.get(`${at}/${name}${part}`)).toBeUndefined();
    expect(await stateOf().remove()).toBe(false);
  });

  test("a head that cannot be read is said to be so, and one of a newer modelswitch", async () => {
    await wrote("one");
    const found = cluster.get(`${at}/${name}`) ?? {};
    const data = (head: string, key: string | undefined = "k") => ({
      ...found,
      data: { head: Buffer.from(head).toString("base64"), ...(key === "" ? {} : { key }) },
    });
    cluster.put(`${at}/${name}`, data("{"));
    await expect(stateOf().load()).rejects.toMatchObject({ code: "state-unreadable", exitCode: 2 });
    cluster.put(`${at}/${name}`, data('{"version":2}'));
    await expect(stateOf().load()).rejects.toMatchObject({ code: "state-version", exitCode: 2 });
  });

  test("whoever may not read it is refused, not told that there is none", async () => {
    cluster.intercept = () => refusal(403, "Forbidden");
    await expect(stateOf().load()).rejects.toBeInstanceOf(KubernetesApiError);
    cluster.intercept = () => json(200, { metadata: {}, data: {} });
    await expect(stateOf().load()).rejects.toMatchObject({ code: "state-unreadable" });
  });
});
