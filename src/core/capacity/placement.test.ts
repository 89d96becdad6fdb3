import { describe, expect, test } from "vitest";
import type { NodeShape, SelectorRequirement } from "./objects.ts";
import { whyNotOn } from "./placement.ts";

const node = (about: NodeShape["spec"] = {}, labels: Record<string, string> = {}): NodeShape => ({
  metadata: { name: "gpu-1", labels: { "topology.kubernetes.io/zone": "a", generation: "3", ...labels } },
  spec: about,
});
const taint = { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" };
const tainted = node({ taints: [taint] });

describe("whyNotOn", () => {
  test("takes a node without taints", () => {
    expect(whyNotOn(node(), {})).toBe(undefined);
  });

  test("leaves out a cordoned node, unless it is tolerated", () => {
    expect(whyNotOn(node({ unschedulable: true }), {})).toBe("cordoned");
    const tolerations = [{ operator: "Exists" }];
    expect(whyNotOn(node({ unschedulable: true }), { tolerations })).toBe(undefined);
  });

  test.each([
    [{ key: "nvidia.com/gpu", value: "present" }, true],
    [{ key: "nvidia.com/gpu", operator: "Equal", value: "present", effect: "NoSchedule" }, true],
    [{ key: "nvidia.com/gpu", operator: "Exists" }, true],
    [{ operator: "Exists", effect: "NoSchedule" }, true],
    [{ key: "nvidia.com/gpu", value: "other" }, false],
    [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoExecute" }, false],
    [{ key: "other", operator: "Exists" }, false],
  ])("the toleration %j holds for the taint: %j", (toleration, tolerated) => {
    expect(whyNotOn(tainted, { tolerations: [toleration] }) === undefined).toBe(tolerated);
  });

  test("names the taint; one that only prefers is none", () => {
    expect(whyNotOn(tainted, {})).toBe(
      "with the taint nvidia.com/gpu=present:NoSchedule, which the pods do not tolerate",
    );
    expect(whyNotOn(node({ taints: [{ ...taint, effect: "PreferNoSchedule" }] }), {})).toBe(undefined);
  });

  test("wants the labels of the node selector", () => {
    expect(whyNotOn(node(), { nodeSelector: { accelerator: "h100" } })).toBe(
      "without the label accelerator=h100",
    );
    expect(whyNotOn(node({}, { accelerator: "h100" }), { nodeSelector: { accelerator: "h100" } })).toBe(
      undefined,
    );
  });

  const zone = "topology.kubernetes.io/zone";
  test.each<[SelectorRequirement, boolean]>([
    [{ key: zone, operator: "In", values: ["a", "b"] }, true],
    [{ key: zone, operator: "NotIn", values: ["a"] }, false],
    [{ key: "missing", operator: "NotIn", values: ["a"] }, true],
    [{ key: zone, operator: "Exists" }, true],
    [{ key: zone, operator: "DoesNotExist" }, false],
    [{ key: "generation", operator: "Gt", values: ["2"] }, true],
    [{ key: "generation", operator: "Lt", values: ["2"] }, false],
    [{ key: zone, operator: "Unheard", values: ["a"] }, false],
  ])("the requirement %j holds: %j", (requirement, held) => {
    const with_ = (terms: readonly object[]) => ({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
    });
    const term = { matchExpressions: [requirement] };
    expect(whyNotOn(node(), with_([term])) === undefined).toBe(held);
    // One term is enough, and one without requirements is none.
    expect(whyNotOn(node(), with_([{}, term])) === undefined).toBe(held);
    const named = { matchFields: [{ key: "metadata.name", operator: "In", values: ["gpu-1"] }] };
    expect(whyNotOn(node(), with_([term, named]))).toBe(undefined);
  });
});
