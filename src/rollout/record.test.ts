import { beforeEach, describe, expect, test } from "vitest";
import {
  FakeCluster,
  refusal,
  testConfig,
  testNamespace,
  testServer,
} from "../../test/support/rollout-bench.ts";
import { vllm } from "../component/servers/vllm.ts";
import { bounded, parseRecord, type RolloutRecord, releaseOf } from "./record.ts";
import { RecordStore } from "./record-store.ts";

const record: RolloutRecord = {
  schemaVersion: 1,
  model: "fraud",
  releases: [
    {
      number: 1,
      slot: "blue",
      spec: { image: "fraud:1" },
      createdAt: "2026-11-23T08:00:00Z",
      by: "ada@laptop",
    },
  ],
  slots: { blue: 1, green: null },
  settings: {
    server: testServer(),
    ingress: testConfig().ingress,
    router: "nginx",
    previewHeader: "X-Preview",
    identity: undefined,
    replicas: { blue: 1, green: 0 },
    selectors: {},
  },
  applying: false,
  history: [],
};

describe("parseRecord", () => {
  test("reads what was written", () => {
    expect(parseRecord(JSON.stringify(record), "ml/fraud")).toEqual(record);
  });

  test("keeps all that a preset knows of its server", () => {
    const server = vllm();
    const written: RolloutRecord = { ...record, settings: { ...record.settings, server } };
    expect(parseRecord(JSON.stringify(written), "ml/fraud").settings.server).toEqual(server);
  });

  test("a server without those facts, as earlier versions wrote it, is read too", () => {
    const { protocol: _protocol, metrics: _metrics, draining: _draining, ...before } = testServer();
    const written = { ...record, settings: { ...record.settings, server: before } };
    expect(parseRecord(JSON.stringify(written), "ml/fraud").settings.server.httpPort).toBe(8080);
  });

  test.each([
    ["no key", undefined, "the key `record` is missing"],
    ["no JSON", "{", "it is not JSON"],
    ["no document", "[]", "the document: Invalid input"],
    ["a wrong field", JSON.stringify({ ...record, slots: { blue: "one", green: null } }), "slots.blue"],
  ])("%s is a clear error", (_, text, why) => {
    expect(() => parseRecord(text, "ml/fraud-modelswitch")).toThrow(
      expect.objectContaining({ code: "record-invalid", message: expect.stringContaining(why) }),
    );
  });

  test("another version is named", () => {
    const text = JSON.stringify({ ...record, schemaVersion: 2 });
    expect(() => parseRecord(text, "ml/fraud-modelswitch")).toThrow(
      expect.objectContaining({ code: "record-version", message: expect.stringContaining("has version 2") }),
    );
  });
});

describe("the record's size", () => {
  test("is bounded; releases that a slot runs always stay", () => {
    const many: RolloutRecord = {
      ...record,
      releases: Array.from({ length: 80 }, (_, index) => ({
        number: index + 1,
        slot: "blue" as const,
        spec: { image: `fraud:${index + 1}` },
        createdAt: "",
        by: "",
      })),
      slots: { blue: 80, green: 1 },
      history: Array.from({ length: 80 }, (_, index) => ({
        at: String(index),
        from: "blue" as const,
        to: "green" as const,
        by: "",
        durationMs: 1,
      })),
    };
    const kept = bounded(many);
    expect(kept.releases).toHaveLength(51);
    expect(releaseOf(kept, "green")?.spec.image).toBe("fraud:1");
    expect(kept.history).toHaveLength(50);
    expect(kept.history.at(-1)?.at).toBe("79");
  });
});

describe("RecordStore", () => {
  let cluster: FakeCluster;
  let store: RecordStore;
  const path = `/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`;

  beforeEach(() => {
    cluster = new FakeCluster();
    store = new RecordStore(cluster, testNamespace, "fraud");
  });

  test("creates, reads, updates and deletes", async () => {
    expect(await store.read()).toBeUndefined();
    await store.update(() => record);
    expect(await store.read()).toEqual(record);
    expect(cluster.get(path)?.metadata?.labels).toMatchObject({
      "app.kubernetes.io/managed-by": "modelswitch",
    });
    await store.update((present) => present && { ...present, applying: true });
    expect((await store.read())?.applying).toBe(true);
    expect(await store.delete()).toBe(true);
    expect(await store.delete()).toBe(false);
  });

  test("writes nothing when nothing is to change", async () => {
    await store.update(() => record);
    cluster.requests.length = 0;
    await store.update((present) => present);
    expect(cluster.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("decides again on what somebody else wrote in between", async () => {
    await store.update(() => record);
    let interfered = false;
    cluster.intercept = async ({ method }) => {
      if (method !== "PUT" || interfered) return undefined;
      interfered = true;
      await store.update((present) => present && { ...present, slots: { blue: 1, green: 1 } });
      return undefined;
    };
    const written = await store.update((present) => present && { ...present, applying: true });
    expect(written).toMatchObject({ applying: true, slots: { blue: 1, green: 1 } });
  });

  test("two that create at once do not overwrite each other", async () => {
    let interfered = false;
    cluster.intercept = async ({ method }) => {
      if (method !== "POST" || interfered) return undefined;
      interfered = true;
      await store.update(() => ({ ...record, applying: true }));
      return undefined;
    };
    const seen: (boolean | undefined)[] = [];
    await store.update((present) => {
      seen.push(present?.applying);
      return present ?? record;
    });
    expect(seen).toEqual([undefined, true]);
  });

  test("gives up when others never stop writing", async () => {
    await store.update(() => record);
    cluster.intercept = ({ method }) => (method === "PUT" ? refusal(409, "Conflict") : undefined);
    const failing = store.update((present) => present && { ...present, applying: true });
    await expect(failing).rejects.toMatchObject({ code: "record-contended", exitCode: 4 });
  });
});
