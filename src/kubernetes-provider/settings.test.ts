import { describe, expect, test } from "vitest";
import type { ApiRequest } from "../kubernetes/api.ts";
import { timeoutMs } from "./annotations.ts";
import { type Autonaming, checkInputs } from "./check.ts";
import { subject, urnOf } from "./fixtures/subject.ts";
import { nameOf } from "./objects.ts";
import { checkConfig } from "./provider-config.ts";
import type { PropertyMap } from "./struct.ts";

const urn = urnOf("core/v1:ConfigMap", "c");
const object = (annotations: PropertyMap = {}, name = "c"): PropertyMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n", ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
  data: { a: "1" },
});
const conflict = {
  status: 409,
  body: {
    reason: "Conflict",
    details: {
      causes: [{ reason: "FieldManagerConflict", field: ".data.a", message: 'conflict with "operator"' }],
    },
  },
};

/** A cluster with the object in it, where a field belongs to somebody else unless it is taken by force. */
const contested = (request: ApiRequest) => {
  if (request.method === "POST") return { status: 409, body: { reason: "AlreadyExists", message: "exists" } };
  if (request.method === "PATCH" && request.query?.force !== true) return conflict;
  const managedFields = [{ manager: "operator", operation: "Update", fieldsV1: {} }];
  const live = object();
  return { body: { ...live, metadata: { ...(live.metadata as PropertyMap), managedFields } } };
};

const creating = { urn, timeoutSeconds: 0, preview: false };
const updating = {
  urn,
  id: "n/c",
  olds: { ...object(), __inputs: object(), __fieldManager: "pulumi-kubernetes-1", __initialApiVersion: "v1" },
  ignoreChanges: [],
  timeoutSeconds: 0,
  preview: false,
};

describe("fields of another owner", () => {
  test("are taken over by the annotation, and by the provider's enablePatchForce", async () => {
    const force = { "pulumi.com/patchForce": "true" };
    await expect(subject(contested).provider.update({ ...updating, news: object() })).rejects.toThrow(
      /operator/,
    );
    await subject(contested).provider.update({ ...updating, news: object(force) });
    await subject(contested, { enablePatchForce: "true" }).provider.update({ ...updating, news: object() });
  });

  test("are left to their owner with ignoreChanges", async () => {
    const fieldsV1 = { "f:data": { "f:a": {} } };
    const managedFields = [{ manager: "operator", operation: "Update", fieldsV1 }];
    const live = object();
    const { provider, cluster } = subject(() => ({
      body: { ...live, metadata: { ...(live.metadata as PropertyMap), managedFields } },
    }));
    await provider.update({ ...updating, news: object(), ignoreChanges: ["data.a"] });
    expect(cluster.requests.find(({ method }) => method === "PATCH")?.body).toMatchObject({ data: {} });
  });

  test("can have the owner that the annotation names; the one before gives its fields up", async () => {
    const { provider, cluster } = subject(() => ({ body: object() }));
    const state = await provider.update({
      ...updating,
      news: object({ "pulumi.com/patchFieldManager": "me" }),
    });
    expect(state.__fieldManager).toBe("me");
    const applied = cluster.requests.filter(({ method }) => method === "PATCH");
    expect(applied.map(({ query }) => query?.fieldManager)).toEqual(["me", "pulumi-kubernetes-1"]);
    expect(applied[1]?.body).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "n" },
    });
  });
});

test("with upsertExistingObjects an object that is there is taken over, but for fields of other owners", async () => {
  const upsert = { upsertExistingObjects: "true" };
  await expect(subject(contested).provider.create({ ...creating, inputs: object() })).rejects.toThrow(
    /exists/,
  );
  const refused = subject(contested, upsert).provider.create({ ...creating, inputs: object() });
  await expect(refused).rejects.toThrow('data.a belongs to "operator"');
  const { provider, cluster } = subject(contested, { ...upsert, enablePatchForce: "true" });
  expect((await provider.create({ ...creating, inputs: object() })).id).toBe("n/c");
  expect(cluster.requests[0]).toMatchObject({ method: "PATCH", contentType: "application/apply-patch+yaml" });
});

test.each([
  ["orphan", "Orphan"],
  ["Background", "Background"],
  ["", "Foreground"],
])("deletionPropagationPolicy %j deletes with %s", async (annotation, policy) => {
  let deleted = false;
  const { provider, cluster } = subject((request) => {
    if (request.method === "DELETE") deleted = true;
    return deleted && request.method === "GET" ? undefined : { body: object() };
  });
  const inputs = object({ "pulumi.com/deletionPropagationPolicy": annotation });
  await provider.delete({ urn, id: "n/c", state: { ...object(), __inputs: inputs }, timeoutSeconds: 0 });
  expect(cluster.requests[0]?.body).toMatchObject({ propagationPolicy: policy });
});

test("a time-out comes from customTimeouts, then from the annotation, then it is ten minutes", () => {
  const annotated = object({ "pulumi.com/timeoutSeconds": "30" });
  expect(timeoutMs(5, annotated)).toBe(5000);
  expect(timeoutMs(0, annotated)).toBe(30_000);
  expect(timeoutMs(0, object({ "pulumi.com/timeoutSeconds": "soon" }))).toBe(600_000);
});

describe("names", () => {
  const check = (
    metadata: PropertyMap,
    autonaming: Autonaming = { mode: "default" },
    olds: PropertyMap = {},
  ) =>
    checkInputs({
      urn,
      olds,
      news: { ...object(), metadata },
      randomSeed: Buffer.from("seed"),
      autonaming,
      defaultNamespace: "n",
      label: "none",
    });

  test("are proposed by the engine, made up from its seed, or refused", () => {
    const proposed = check({}, { mode: "proposed", name: "mine" });
    expect(proposed.ok && nameOf(proposed.inputs)).toBe("mine");
    expect(check({})).toEqual(check({}));
    expect(check({}, { mode: "disabled" })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("disabled"),
    });
    expect(check({ generateName: "x-" })).toMatchObject({ ok: false });
  });

  test("that were made up stay", () => {
    const first = check({});
    if (!first.ok) throw new Error(first.reason);
    const again = check({}, { mode: "default" }, first.inputs);
    expect(again).toEqual(first);
  });
});

test("a waitFor that cannot be understood is refused before anything is made", async () => {
  const { provider, cluster } = subject();
  const check = (waitFor: string) =>
    provider.check({
      urn,
      olds: {},
      news: object({ "pulumi.com/waitFor": waitFor }),
      randomSeed: new Uint8Array(),
      autonaming: { mode: "default" },
    });
  expect(await check("phase=Ready")).toMatchObject({
    ok: false,
    reason: expect.stringContaining('"jsonpath=" or "condition="'),
  });
  expect(await check("[]")).toMatchObject({ ok: false });
  expect(await check('["condition=Ready", "jsonpath={.status.phase}=Running"]')).toMatchObject({ ok: true });
  expect(cluster.requests).toEqual([]);
});

test("strictMode asks for an explicit provider with kubeconfig and context", () => {
  const properties = (urn: string, args: PropertyMap) =>
    checkConfig(urn, { strictMode: true, ...args }).map(({ property }) => property);
  expect(properties("urn:pulumi:d::p::pulumi:providers:kubernetes::default_4_34_2", {})).toEqual([
    "",
    "kubeconfig",
    "context",
  ]);
  expect(
    properties("urn:pulumi:d::p::pulumi:providers:kubernetes::mine", { kubeconfig: "x", context: "c" }),
  ).toEqual([]);
});
