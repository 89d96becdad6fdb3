import { describe, expect, test } from "vitest";
import { type PathStep, pathText } from "../../kubernetes/managed-fields.ts";
import { changedFields } from "./hand-changes.ts";
import { puttingBack } from "./put-back.ts";

const declared = {
  metadata: { annotations: { "nginx.ingress.kubernetes.io/proxy-read-timeout": "60" } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          {
            name: "model",
            image: "fraud:1",
            env: [
              { name: "A", value: "1" },
              { name: "B", value: "2" },
              { name: "C", value: "3" },
            ],
          },
        ],
      },
    },
  },
};

const env = (name: string): PathStep[] => [
  "spec",
  "template",
  "spec",
  "containers",
  { name: "model" },
  "env",
  { name },
];
const owner = { manager: "k9s", operation: "Update", time: undefined, subresource: "", fields: {} };

function back(
  container: object,
  changes: readonly { steps: readonly PathStep[]; before?: unknown }[],
  more = {},
) {
  const live = {
    metadata: { uid: "u", resourceVersion: "7", annotations: {} },
    spec: {
      replicas: 5,
      template: { spec: { containers: [{ name: "model", image: "fraud:2", ...container }] } },
      ...more,
    },
  };
  const patch = puttingBack(
    live,
    declared,
    changes.map(({ steps, before }) => ({ steps, before, after: undefined, owner })),
  );
  return patch?.find(({ path }) => path === "/spec")?.value as typeof declared.spec & Record<string, unknown>;
}

describe("what is put back", () => {
  test("is what was named, and nothing beside it", () => {
    const spec = back({ env: [{ name: "A", value: "9" }] }, [{ steps: [...env("A"), "value"], before: "1" }]);
    expect(spec.template.spec.containers[0]?.env).toEqual([{ name: "A", value: "1" }]);
    expect(spec.replicas).toBe(5);
    expect(spec.template.spec.containers[0]?.image).toBe("fraud:2");
  });

  test("an item that was taken away comes back to its place", () => {
    const spec = back(
      { env: [declared.spec.template.spec.containers[0]?.env[0], { name: "C", value: "3" }] },
      [{ steps: [...env("B"), "value"], before: "2" }],
    );
    expect(spec.template.spec.containers[0]?.env).toEqual(declared.spec.template.spec.containers[0]?.env);
  });

  test("with a list that is gone as a whole", () => {
    const spec = back({}, [{ steps: [...env("B"), "value"], before: "2" }]);
    expect(spec.template.spec.containers[0]?.env).toEqual([{ name: "B", value: "2" }]);
  });

  test("an item that nobody declared goes as a whole", () => {
    const spec = back(
      {
        env: [
          { name: "A", value: "1" },
          { name: "ALIEN", value: "1" },
        ],
      },
      [{ steps: [...env("ALIEN"), "value"] }],
    );
    expect(spec.template.spec.containers[0]?.env).toEqual([{ name: "A", value: "1" }]);
  });

  test("what is empty without it goes, too: a Service without affinity may have no settings of one", () => {
    const affinity = {
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 9 } },
    };
    const spec = back(
      {},
      [
        { steps: ["spec", "sessionAffinity"] },
        { steps: ["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"] },
      ],
      affinity,
    );
    expect(Object.keys(spec)).toEqual(["replicas", "template"]);
  });

  test("annotations are written as a whole, and only where one of them is meant", () => {
    const annotated = (changes: readonly { steps: readonly PathStep[]; before: unknown }[]) =>
      puttingBack(
        { metadata: { uid: "u", resourceVersion: "7", annotations: { note: "mine", limit: "5" } } },
        declared,
        changes.map((one) => ({ ...one, after: undefined, owner })),
      );
    expect(annotated([{ steps: ["metadata", "annotations", "limit"], before: undefined }])).toEqual([
      { op: "test", path: "/metadata/uid", value: "u" },
      { op: "add", path: "/metadata/annotations", value: { note: "mine" } },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
    expect(annotated([])).toBeUndefined();
  });
});

test("another item in the place of a declared one goes, and the declared one comes back", () => {
  const port = { name: "http", port: 80, targetPort: 8080 };
  const declaredService = { spec: { type: "ClusterIP", ports: [port] } };
  const live = {
    metadata: {
      uid: "u",
      resourceVersion: "7",
      managedFields: [
        {
          ...{ manager: "kubectl-edit", operation: "Update", time: "2026-11-30T02:54:15Z" },
          fieldsV1: {
            "f:spec": {
              "f:ports": {
                'k:{"port":81,"protocol":"TCP"}': {
                  ...{ ".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {} },
                },
              },
            },
          },
        },
      ],
    },
    spec: { type: "ClusterIP", ports: [{ ...port, port: 81, protocol: "TCP" }] },
  };
  const changed = changedFields(live, declaredService, ([first]) => first === "spec");
  expect(changed.map(({ steps, before }) => [pathText(steps), before])).toEqual([
    ["spec.ports[80].name", "http"],
    ["spec.ports[80].targetPort", 8080],
    ["spec.ports[81,TCP].name", undefined],
    ["spec.ports[81,TCP].targetPort", undefined],
  ]);
  const patch = puttingBack(live, declaredService, changed);
  expect(patch?.find(({ path }) => path === "/spec")).toMatchObject({
    value: { type: "ClusterIP", ports: [port] },
  });
});
