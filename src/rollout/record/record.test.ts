import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import {
  FakeCluster,
  refusal,
  testConfig,
  testNamespace,
  testServer,
} from "../../../test/support/rollout-bench.ts";
import { vllm } from "../../component/servers/vllm.ts";
import { parseRecord } from "./parse-record.ts";
import { bounded, type RolloutRecord, releaseOf } from "./record.ts";
import { RecordStore } from "./record-store.ts";
import { recordVersion } from "./record-upgrades.ts";

/** The record that modelswitch 0.1.0 wrote for a model of two slots, after a switch. */
async function recordOf010(): Promise<string> {
  const file = new URL("../../../test/fixtures/upgrades/0.1.0/objects.json", import.meta.url);
  const objects = JSON.parse(await readFile(file, "utf8")) as {
    readonly object: { readonly kind: string; readonly data?: { readonly record?: string } };
  }[];
  const record = objects.find(({ object }) => object.kind === "ConfigMap")?.object.data?.record;
  if (record === undefined) throw new Error("The fixture has no record.");
  return record;
}

const record: RolloutRecord = {
  schemaVersion: recordVersion,
  model: "fraud",
  environment: null,
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

  test("a newer version is refused, with both versions", () => {
    const text = JSON.stringify({ ...record, schemaVersion: recordVersion + 1 });
    expect(() => parseRecord(text, "ml/fraud-modelswitch")).toThrow(
      expect.objectContaining({
        code: "record-version",
        exitCode: 2,
        message: `The rollout record in the ConfigMap ml/fraud-modelswitch has version ${recordVersion + 1}, which a newer modelswitch wrote; this one reads versions up to ${recordVersion}.`,
      }),
    );
  });

  test("what 0.1.0 wrote becomes what this version would have written", async () => {
    const text = await recordOf010();
    const before = JSON.parse(text) as Record<string, unknown>;
    expect(before.schemaVersion).toBe(1);
    const upgraded = parseRecord(text, "ml/fraud-modelswitch");
    expect(upgraded).toEqual({
      ...before,
      schemaVersion: recordVersion,
      environment: null,
      releases: (before.releases as object[]).map((release) => ({ ...release, podDefaults: "0.1.0" })),
    });
    expect(releaseOf(upgraded, "green")).toMatchObject({ number: 2, spec: { replicas: 2 } });
    // Reading it back is no second upgrade.
    expect(parseRecord(JSON.stringify(upgraded), "ml/fraud-modelswitch")).toEqual(upgraded);
  });

  test("a rollout that 0.2.0 left in progress can be gone on with", () => {
    const plan = {
      readiness: "all",
      replicas: 3,
      idleReplicas: 0,
      settleMs: 5_000,
      steps: [{ weight: 25, holdMs: 60_000 }],
      soakMs: 30_000,
      drainMs: 30_000,
      rollbackWindowMs: 600_000,
    };
    const state = {
      release: 2,
      target: "green",
      from: "blue",
      direction: "forward",
      phase: "shift",
      stepIndex: 0,
      proved: true,
      since: 1_000,
      exposed: true,
      paused: false,
      promoted: false,
    };
    const ended = {
      kind: "release",
      release: 1,
      target: "blue",
      outcome: "released",
      by: "ada@laptop",
      startedAt: "2026-11-23T08:00:00Z",
      endedAt: "2026-11-23T08:01:00Z",
    };
    const rollout = {
      kind: "release",
      plan,
      state,
      by: "ada@laptop",
      startedAt: "2026-11-23T09:00:00Z",
      requests: [],
    };
    const text = JSON.stringify({ ...record, schemaVersion: 2, rollout, rollouts: [ended] });
    const upgraded = parseRecord(text, "ml/fraud-modelswitch");
    expect(upgraded.rollouts).toEqual([{ number: 1, ...ended }]);
    expect(upgraded.rollout).toMatchObject({
      number: 2,
      plan: { ...plan, mode: { kind: "full" }, fromReplicas: 3, approval: [], hooks: [], gates: false },
      state: { ...state, stage: "during", windowsIgnored: false },
      journal: [],
    });
  });

  test.each([[0], [-1], [1.5], ["1"]])("a version that never was is no record: %j", (schemaVersion) => {
    const text = JSON.stringify({ ...record, schemaVersion });
    expect(() => parseRecord(text, "ml/fraud-modelswitch")).toThrow(
      expect.objectContaining({ code: "record-invalid" }),
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
