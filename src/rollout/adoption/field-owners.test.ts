import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import { foundObject } from "./adopted-objects.ts";
import { declaredOwners, giveBackOwners, handOver, restore, restored } from "./field-owners.ts";

const entry = (manager: string, fieldsV1: object, more: object = {}) => ({
  manager,
  operation: "Update",
  apiVersion: "apps/v1",
  fieldsType: "FieldsV1",
  fieldsV1,
  ...more,
});
const status = entry("kube-controller-manager", { "f:status": {} }, { subresource: "status" });
const object: KubernetesObject = {
  metadata: {
    name: "fraud",
    uid: "u1",
    resourceVersion: "7",
    managedFields: [
      entry("kubectl-client-side-apply", { "f:spec": { "f:replicas": {} } }),
      entry("helm", { "f:spec": { "f:paused": {} }, "f:metadata": {} }),
      status,
    ],
  },
};

describe("handOver", () => {
  test("puts all declared fields into one hand that the provider takes over from, and leaves controllers theirs", () => {
    expect(handOver(object)).toEqual([
      { op: "test", path: "/metadata/uid", value: "u1" },
      {
        op: "replace",
        path: "/metadata/managedFields",
        value: [
          entry("before-first-apply", { "f:spec": { "f:replicas": {}, "f:paused": {} }, "f:metadata": {} }),
          status,
        ],
      },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
  });

  test("does nothing twice", () => {
    const done = { metadata: { managedFields: [entry("before-first-apply", {}), status] } };
    expect(handOver(done)).toBeUndefined();
  });

  test("the number of replicas that an autoscaler sets never becomes Pulumi's, which would give it up for 1", () => {
    const taken = entry("modelswitch-replicas", { "f:spec": { "f:replicas": {} } }, { operation: "Apply" });
    const patch = handOver(object, true);
    expect(patch?.[1]?.value).toEqual([
      entry("before-first-apply", { "f:spec": { "f:paused": {} }, "f:metadata": {} }),
      taken,
      status,
    ]);
    const done = { metadata: { managedFields: [entry("before-first-apply", {}), taken, status] } };
    expect(handOver(done, true)).toBeUndefined();
  });

  test("fields of different API versions are not mixed", () => {
    const versions = {
      metadata: { managedFields: [entry("a", {}), entry("b", {}, { apiVersion: "apps/v1beta1" })] },
    };
    const patch = handOver(versions)?.find(({ path }) => path === "/metadata/managedFields");
    expect(patch?.value).toHaveLength(2);
  });
});

test("giving back puts the former owners beside what controllers own now", () => {
  const found = foundObject(object);
  const now: KubernetesObject = {
    metadata: {
      uid: "u1",
      resourceVersion: "9",
      managedFields: [entry("pulumi-kubernetes-1", {}), { ...status, time: "later" }],
    },
  };
  expect(giveBackOwners(now, found)[1]?.value).toEqual([
    ...declaredOwners(object),
    { ...status, time: "later" },
  ]);
});

describe("restored", () => {
  test("gives back what was found, without ours, with what others added since", () => {
    const now = { app: "fraud", version: "blue", team: "risk", cost: "42" };
    expect(restored(now, { app: "old", team: "risk" }, ["app", "version"])).toEqual({
      app: "old",
      team: "risk",
      cost: "42",
    });
  });

  test("a Deployment's revision is what its controller says now", () => {
    const key = "deployment.kubernetes.io/revision";
    expect(restored({ [key]: "4" }, { [key]: "1" }, [])).toEqual({ [key]: "4" });
  });
});

describe("restore", () => {
  const now = { metadata: { uid: "u1", resourceVersion: "7", labels: { a: "1" } }, spec: { x: 1, y: 2 } };

  test("is nothing where everything is as it was, in whatever order", () => {
    expect(restore(now, { labels: { a: "1" }, annotations: {}, spec: { y: 2, x: 1 } })).toBeUndefined();
  });

  test("writes only what differs", () => {
    expect(restore(now, { labels: {}, annotations: {}, spec: { x: 1 } })?.map(({ path }) => path)).toEqual([
      "/metadata/uid",
      "/metadata/labels",
      "/spec",
      "/metadata/resourceVersion",
    ]);
  });
});
