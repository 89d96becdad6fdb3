import { describe, expect, test } from "vitest";
import { fieldOwners, ownedLeaves, ownedPart, pathText, valueIn } from "./managed-fields.ts";

const object = {
  metadata: {
    labels: { app: "fraud", "modelswitch.dev/release": "1" },
    managedFields: [
      {
        manager: "kubectl-set",
        operation: "Update",
        time: "2026-11-30T02:54:15Z",
        fieldsV1: { "f:spec": { "f:image": {} } },
      },
      { manager: "kubelet", operation: "Update", subresource: "status", fieldsV1: {} },
      "nonsense",
    ],
  },
  spec: {
    replicas: 2,
    selector: { app: "fraud" },
    finalizers: ["a", "b"],
    ports: [{ port: 80, protocol: "TCP", name: "http" }],
    containers: [
      { name: "model", image: "fraud:1", args: ["--fast"], env: [{ name: "LEVEL", value: "info" }] },
      { name: "proxy", image: "proxy:1" },
    ],
  },
};

describe("managed fields", () => {
  test("say who wrote what, and through which subresource", () => {
    expect(fieldOwners(object)).toMatchObject([
      { manager: "kubectl-set", operation: "Update", subresource: "", time: "2026-11-30T02:54:15Z" },
      { manager: "kubelet", subresource: "status", time: undefined },
    ]);
    expect(fieldOwners({})).toEqual([]);
  });

  test("cut out the part that they name: keys, items by their keys, values of sets", () => {
    const fields = {
      "f:metadata": { "f:labels": { ".": {}, "f:app": {}, "f:gone": {} } },
      "f:spec": {
        "f:selector": {},
        "f:finalizers": { ".": {}, 'v:"b"': {} },
        "f:ports": { ".": {}, 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} } },
        "f:containers": {
          'k:{"name":"model"}': {
            ".": {},
            "f:name": {},
            "f:args": {},
            "f:env": { ".": {}, 'k:{"name":"LEVEL"}': { ".": {}, "f:name": {}, "f:value": {} } },
          },
        },
      },
    };
    expect(ownedPart(object, fields)).toEqual({
      metadata: { labels: { app: "fraud" } },
      spec: {
        selector: { app: "fraud" },
        finalizers: ["b"],
        ports: [{ port: 80, name: "http" }],
        containers: [{ name: "model", args: ["--fast"], env: [{ name: "LEVEL", value: "info" }] }],
      },
    });
  });

  test("lead to single values, with paths for people", () => {
    const leaves = ownedLeaves(object, {
      "f:metadata": { "f:labels": { "f:modelswitch.dev/release": {} } },
      "f:spec": { "f:replicas": {}, "f:containers": { 'k:{"name":"model"}': { ".": {}, "f:image": {} } } },
    });
    expect(leaves.map(({ steps, value }) => [pathText(steps), value])).toEqual([
      ['metadata.labels["modelswitch.dev/release"]', "1"],
      ["spec.replicas", 2],
      ["spec.containers[model].image", "fraud:1"],
    ]);
    expect(valueIn({ spec: { containers: [{ name: "model", image: "x" }] } }, leaves[2]?.steps ?? [])).toBe(
      "x",
    );
    expect(valueIn({}, leaves[2]?.steps ?? [])).toBeUndefined();
  });
});
