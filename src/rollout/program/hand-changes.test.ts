import { describe, expect, test } from "vitest";
import { testNamespace, testServer } from "../../../test/support/rollout-bench.ts";
import type { ModelSpec } from "../../core/model.ts";
import { declaredDeployment } from "./declared-fields.ts";
import { describeHandChange, handChangesOf } from "./hand-changes.ts";

const spec: ModelSpec = {
  name: "fraud",
  namespace: testNamespace,
  server: testServer(),
  slots: {
    blue: { image: "fraud:1", replicas: 2, env: { LEVEL: "info", API_TOKEN: "sesame" } },
    green: {},
  },
  ingress: { host: "fraud.test" },
  router: "nginx",
  previewHeader: "X-Preview",
  identity: undefined,
  servicePort: 80,
};

const declared = declaredDeployment(spec, "blue") as {
  spec: { template: { metadata: object; spec: { containers: object[] } } };
};
const about = { kind: "Deployment", name: "fraud-blue", slot: "blue" } as const;
const time = "2026-11-30T02:54:15Z";

const container = (fields: object) => ({
  "f:spec": {
    "f:template": { "f:spec": { "f:containers": { 'k:{"name":"model"}': { ".": {}, ...fields } } } },
  },
});

interface Owner {
  readonly manager: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1: object;
}

/** The Deployment as declared, with changes of its container, and who owns what. */
function changes(more: object, owners: readonly Owner[], replicas = 2, annotations?: object) {
  const live = {
    metadata: {
      name: "fraud-blue",
      managedFields: owners.map((owner) => ({ operation: "Update", time, ...owner })),
    },
    spec: {
      ...declared.spec,
      replicas,
      template: {
        ...declared.spec.template,
        metadata: {
          ...declared.spec.template.metadata,
          ...(annotations === undefined ? {} : { annotations }),
        },
        spec: {
          ...declared.spec.template.spec,
          containers: [{ ...declared.spec.template.spec.containers[0], ...more }],
        },
      },
    },
  };
  return handChangesOf(about, live, declared, ([first]) => first === "spec").map(describeHandChange);
}

const image = "spec.template.spec.containers[model].image";

describe("what was changed by hand", () => {
  test("`kubectl set image` is named with the field, both values, and what it was done with", () => {
    expect(
      changes({ image: "fraud:hotfix" }, [
        { manager: "kubectl-set", fieldsV1: container({ "f:image": {} }) },
      ]),
    ).toEqual([`${image}: "fraud:1" -> "fraud:hotfix" (kubectl set, at ${time})`]);
  });

  test("`kubectl scale` and `kubectl rollout restart` too", () => {
    const scale = {
      manager: "kubectl",
      subresource: "scale",
      fieldsV1: { "f:spec": { "f:replicas": {} } },
    };
    const key = "kubectl.kubernetes.io/restartedAt";
    const restart = {
      manager: "kubectl-rollout",
      fieldsV1: {
        "f:spec": { "f:template": { "f:metadata": { "f:annotations": { ".": {}, [`f:${key}`]: {} } } } },
      },
    };
    expect(changes({}, [scale, restart], 5, { [key]: "now" })).toEqual([
      `spec.replicas: 2 -> 5 (kubectl scale, at ${time})`,
      `spec.template.metadata.annotations["${key}"]: (none) -> "now" (kubectl rollout, at ${time})`,
    ]);
  });

  test("a variable that somebody took away is named, and values that may be secrets are not shown", () => {
    const edited = {
      manager: "kubectl-edit",
      fieldsV1: container({ "f:env": { 'k:{"name":"API_TOKEN"}': { "f:value": {} } } }),
    };
    const [token, level] = changes({ env: [{ name: "API_TOKEN", value: "changed" }] }, [edited]);
    expect(token).toContain('env[API_TOKEN].value: "[hidden]" -> "[hidden]" (kubectl edit');
    expect(level).toMatch(/env\[LEVEL\]\.value: .* -> \(none\) \(kubectl edit/);
  });

  test.each<[string, object, Owner]>([
    [
      "Pulumi's own writes",
      { image: "fraud:2" },
      { manager: "pulumi-kubernetes-1", fieldsV1: container({ "f:image": {} }) },
    ],
    [
      "the controllers' status",
      {},
      { manager: "kube-controller-manager", subresource: "status", fieldsV1: { "f:status": {} } },
    ],
    [
      "somebody who says the same",
      {},
      { manager: "kubectl", operation: "Apply", fieldsV1: container({ "f:image": {} }) },
    ],
    [
      "what admission left out, where nobody wrote",
      { env: [] },
      { manager: "pulumi-kubernetes", fieldsV1: {} },
    ],
  ])("%s are no change by hand", (_what, more, owner) => {
    expect(changes(more, [owner])).toEqual([]);
  });
});
