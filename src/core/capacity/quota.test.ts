import { describe, expect, test } from "vitest";
import type { PodSpecShape, Quantities, QuotaShape } from "./objects.ts";
import { describeQuota, quotaProblems } from "./quota.ts";

const quota = (hard: Quantities, used: Quantities = {}, spec: QuotaShape["spec"] = {}): QuotaShape => ({
  metadata: { name: "team" },
  spec: { hard, ...spec },
  status: { hard, used },
});
const pod = (requests?: Quantities, limits?: Quantities, more: PodSpecShape = {}): PodSpecShape => ({
  containers: [{ name: "model", resources: { ...(requests && { requests }), ...(limits && { limits }) } }],
  ...more,
});
const said = (
  one: QuotaShape,
  spec: PodSpecShape,
  count = 2,
  more: { remove?: PodSpecShape[]; objects?: Record<string, number> } = {},
) => quotaProblems([one], { add: [{ count, spec }], remove: [], ...more }).map(describeQuota);

describe("a quota", () => {
  test.each<[string, QuotaShape, PodSpecShape, string[]]>([
    ["with room", quota({ "requests.cpu": "4" }, { "requests.cpu": "2" }), pod({ cpu: "1" }), []],
    [
      "of requests",
      quota({ "requests.cpu": "3" }, { "requests.cpu": "2" }),
      pod({ cpu: "1" }),
      ["the ResourceQuota team leaves 1 of 3 requests.cpu, and 2 more are asked for"],
    ],
    [
      "of requests without the word",
      quota({ memory: "3Gi" }, { memory: "2Gi" }),
      pod({ memory: "512Mi" }),
      [],
    ],
    [
      "of limits",
      quota({ "limits.memory": "3Gi" }, { "limits.memory": "2Gi" }),
      pod({ memory: "1Gi" }, { memory: "1Gi" }),
      ["the ResourceQuota team leaves 1Gi of 3Gi limits.memory, and 2Gi more are asked for"],
    ],
    [
      "of devices",
      quota({ "requests.nvidia.com/gpu": "1" }),
      pod(undefined, { "nvidia.com/gpu": "1" }),
      ["the ResourceQuota team leaves 1 of 1 requests.nvidia.com/gpu, and 2 more are asked for"],
    ],
    [
      "of pods",
      quota({ pods: "3" }, { pods: "2" }),
      pod(),
      ["the ResourceQuota team leaves 1 of 3 pods, and 2 more are asked for"],
    ],
    [
      "of pods as objects",
      quota({ "count/pods": "1" }),
      pod(),
      ["the ResourceQuota team leaves 1 of 1 count/pods, and 2 more are asked for"],
    ],
    [
      "that wants to know the limits",
      quota({ "limits.cpu": "10" }),
      pod({ cpu: "1" }),
      ["the ResourceQuota team wants limits.cpu to be said, and the container model does not say it"],
    ],
    ["that takes a limit for a request", quota({ "requests.cpu": "10" }), pod(undefined, { cpu: "1" }), []],
    ["of something else", quota({ "requests.storage": "1Gi", persistentvolumeclaims: "0" }), pod(), []],
  ])("%s", (_, one, spec, expected) => {
    expect(said(one, spec)).toEqual(expected);
  });

  test("counts what is gone by then as free, and what is over already as nothing", () => {
    const full = quota({ "requests.cpu": "2" }, { "requests.cpu": "2" });
    expect(said(full, pod({ cpu: "1" }), 2, { remove: [pod({ cpu: "1" }), pod({ cpu: "1" })] })).toEqual([]);
    expect(said(full, pod({ cpu: "1" }), 0)).toEqual([]);
  });

  test("of objects", () => {
    const one = quota(
      { "count/deployments.apps": "1", services: "2", "count/services": "5" },
      { services: "1" },
    );
    expect(said(one, pod(), 1, { objects: { "deployments.apps": 2, services: 2 } })).toEqual([
      "the ResourceQuota team leaves 1 of 1 count/deployments.apps, and 2 more are asked for",
      "the ResourceQuota team leaves 1 of 2 services, and 2 more are asked for",
    ]);
  });

  describe("counts only the pods of its scopes", () => {
    const none = { pods: "0" };
    const isCounted = (spec: QuotaShape["spec"], of: PodSpecShape) =>
      said(quota(none, {}, spec), of, 1).length > 0;
    const scoped = (operator: string, values?: string[]) => ({
      scopeSelector: {
        matchExpressions: [{ scopeName: "PriorityClass", operator, ...(values && { values }) }],
      },
    });
    const high = pod(undefined, undefined, { priorityClassName: "high" });

    test("those that end by themselves are none of a Deployment", () => {
      expect(isCounted({ scopes: ["Terminating"] }, pod())).toBe(false);
      expect(isCounted({ scopes: ["NotTerminating"] }, pod())).toBe(true);
    });

    test("whether they ask for anything", () => {
      expect(isCounted({ scopes: ["BestEffort"] }, pod())).toBe(true);
      expect(isCounted({ scopes: ["BestEffort"] }, pod({ cpu: "1" }))).toBe(false);
      expect(isCounted({ scopes: ["NotBestEffort"] }, pod(undefined, { memory: "1Gi" }))).toBe(true);
      expect(isCounted({ scopes: ["NotBestEffort", "Terminating"] }, pod({ cpu: "1" }))).toBe(false);
    });

    test("their priority class", () => {
      expect(isCounted(scoped("In", ["high"]), high)).toBe(true);
      expect(isCounted(scoped("In", ["low"]), high)).toBe(false);
      expect(isCounted(scoped("NotIn", ["high"]), high)).toBe(false);
      expect(isCounted(scoped("NotIn", ["high"]), pod())).toBe(true);
      expect(isCounted(scoped("Exists"), pod())).toBe(false);
      expect(isCounted(scoped("DoesNotExist"), pod())).toBe(true);
      expect(isCounted({ scopes: ["PriorityClass"] }, high)).toBe(true);
    });

    test("affinity to other namespaces", () => {
      const scope = { scopes: ["CrossNamespacePodAffinity"] };
      const term = { namespaceSelector: {} };
      const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
      expect(isCounted(scope, pod())).toBe(false);
      expect(isCounted(scope, pod(undefined, undefined, { affinity }))).toBe(true);
    });
  });
});
