import { describe, expect, test } from "vitest";
import { describeAmount, describeAmounts, podRequests } from "./amounts.ts";

const of = (requests: Record<string, string>) => ({ resources: { requests } });

describe("podRequests", () => {
  test("adds up the containers, and takes a place on the node", () => {
    const containers = [of({ cpu: "500m", memory: "1Gi" }), of({ cpu: "1", "nvidia.com/gpu": "2" })];
    expect(podRequests({ containers })).toEqual({ cpu: 1.5, memory: 2 ** 30, "nvidia.com/gpu": 2, pods: 1 });
    expect(podRequests({})).toEqual({ pods: 1 });
  });

  test("where there is only a limit, that is what is asked for", () => {
    const containers = [{ resources: { limits: { "nvidia.com/gpu": 1, cpu: "2" }, requests: { cpu: "1" } } }];
    expect(podRequests({ containers })).toEqual({ cpu: 1, "nvidia.com/gpu": 1, pods: 1 });
  });

  test("an init container that needs more decides, beside those that run on", () => {
    const containers = [of({ cpu: "1", memory: "1Gi" })];
    const initContainers = [
      of({ cpu: "4" }),
      { ...of({ cpu: "500m" }), restartPolicy: "Always" },
      of({ cpu: "3" }),
    ];
    expect(podRequests({ containers, initContainers })).toMatchObject({ cpu: 4, memory: 2 ** 30 });
    const sidecar = { ...of({ cpu: "2" }), restartPolicy: "Always" };
    expect(podRequests({ containers, initContainers: [sidecar, of({ cpu: "3" })] })).toMatchObject({
      cpu: 5,
    });
    expect(podRequests({ containers, initContainers: [sidecar] })).toMatchObject({ cpu: 3 });
  });

  test("counts the runtime's overhead, and amounts of the whole pod", () => {
    const containers = [of({ cpu: "1" })];
    expect(podRequests({ containers, overhead: { cpu: "250m" } })).toMatchObject({ cpu: 1.25 });
    expect(podRequests({ containers, resources: { requests: { cpu: "3" } } })).toMatchObject({ cpu: 3 });
  });
});

describe("amounts for people", () => {
  test.each([
    ["cpu", 0.25, "250m"],
    ["cpu", 1.5, "1.5"],
    ["cpu", 3, "3"],
    ["nvidia.com/gpu", 2, "2"],
    ["memory", 1.5 * 2 ** 30, "1.5Gi"],
    ["memory", 16 * 2 ** 30, "16Gi"],
    ["memory", 200 * 2 ** 20, "200Mi"],
    ["memory", 0, "0"],
  ])("%s %d is %s", (resource, value, text) => {
    expect(describeAmount(resource, value)).toBe(text);
  });

  test("devices come first", () => {
    expect(describeAmounts({ memory: 2 ** 30, cpu: 2, pods: 1, "nvidia.com/gpu": 1 })).toBe(
      "1 nvidia.com/gpu, 2 cpu, 1Gi memory",
    );
  });
});
