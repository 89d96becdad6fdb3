import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeShort } from "./describe.ts";
import type { NodeShape, PodSpecShape } from "./objects.ts";
import { type Change, type ClusterRoom, type Fit, roomFor } from "./room.ts";

const node = (
  name: string,
  allocatable: Record<string, string>,
  spec: NodeShape["spec"] = {},
): NodeShape => ({
  metadata: { name, labels: {} },
  spec,
  status: { allocatable: { pods: "110", ...allocatable } },
});
const asking = (requests: Record<string, string>, nodeName?: string): PodSpecShape => ({
  containers: [{ resources: { requests } }],
  ...(nodeName === undefined ? {} : { nodeName }),
});
const running = (name: string, requests: Record<string, string>, nodeName: string) => ({
  namespace: "ml",
  name,
  spec: asking(requests, nodeName),
});
const add = (count: number, requests: Record<string, string>, remove: readonly string[] = []): Change => ({
  add: [{ count, spec: asking(requests) }],
  remove: new Set(remove),
});
const text = (found: Fit) => (found.kind === "short" ? describeShort(found) : found.kind);
const gpu = "nvidia.com/gpu";

const gpus: ClusterRoom = {
  nodes: [node("a", { cpu: "32", [gpu]: "4" }), node("b", { cpu: "32", [gpu]: "4" })],
  pods: [running("x", { [gpu]: "4" }, "a"), running("y", { [gpu]: "3" }, "b")],
};

describe("roomFor", () => {
  test("counts what runs, and says what is missing", () => {
    expect(roomFor(gpus, add(1, { [gpu]: "1" }))).toEqual({ kind: "fits" });
    expect(text(roomFor(gpus, add(3, { [gpu]: "1" })))).toBe(
      "3 more replicas with 1 nvidia.com/gpu each need a place, and 1 finds one: 1 of 8 nvidia.com/gpu is free on 2 nodes",
    );
    expect(text(roomFor(gpus, add(1, { [gpu]: "2", cpu: "1" })))).toBe(
      "1 more replica with 2 nvidia.com/gpu, 1 cpu does not fit: 1 of 8 nvidia.com/gpu is free on 2 nodes",
    );
  });

  test("pods that go make room", () => {
    expect(roomFor(gpus, add(4, { [gpu]: "1" }, ["ml/y"]))).toEqual({ kind: "fits" });
    expect(roomFor(gpus, add(4, { [gpu]: "1" }, ["other/y"]))).toMatchObject({ kind: "short", placed: 1 });
  });

  test("one replica is never split over nodes", () => {
    const cluster = { nodes: [node("a", { cpu: "3" }), node("b", { cpu: "3" })], pods: [] };
    expect(text(roomFor(cluster, add(2, { cpu: "2" })))).toBe("fits");
    expect(text(roomFor(cluster, add(3, { cpu: "2" })))).toBe(
      "3 more replicas with 2 cpu each need a place, and 2 find one: 6 of 6 cpu are free on 2 nodes",
    );
    expect(text(roomFor(cluster, add(1, { cpu: "4" })))).toBe(
      "1 more replica with 4 cpu does not fit: 6 of 6 cpu are free on 2 nodes, at most 3 on one",
    );
  });

  test("a node takes only so many pods", () => {
    const cluster = { nodes: [node("a", { cpu: "8", pods: "2" })], pods: [running("x", {}, "a")] };
    expect(text(roomFor(cluster, add(2, { cpu: "100m" })))).toBe(
      "2 more replicas with 0.1 cpu each need a place, and 1 finds one: 1 node can take 1 more of 2 pods in all",
    );
  });

  test("names the nodes that are left out", () => {
    const taints = [{ key: "dedicated", value: "db", effect: "NoSchedule" }];
    const cluster = {
      nodes: [
        node("a", { cpu: "8" }, { taints }),
        node("b", { cpu: "8" }, { taints }),
        node("c", { cpu: "8" }, { unschedulable: true }),
      ],
      pods: [],
    };
    expect(text(roomFor(cluster, add(1, {})))).toBe(
      "1 more replica does not fit: no node is one for them. Left out: 2 nodes with the taint dedicated=db:NoSchedule, which the pods do not tolerate; 1 node cordoned",
    );
  });

  test("fractions add up", () => {
    const cluster = { nodes: [node("a", { cpu: "1" })], pods: [running("x", { cpu: "700m" }, "a")] };
    expect(roomFor(cluster, add(3, { cpu: "100m" }))).toEqual({ kind: "fits" });
    expect(roomFor(cluster, add(4, { cpu: "100m" }))).toMatchObject({ placed: 3 });
  });

  test("the largest are placed first", () => {
    const cluster = { nodes: [node("a", { cpu: "4" }), node("b", { cpu: "3" })], pods: [] };
    const change = {
      add: [
        { count: 1, spec: asking({ cpu: "3" }) },
        { count: 1, spec: asking({ cpu: "4" }) },
      ],
      remove: new Set<string>(),
    };
    expect(roomFor(cluster, change)).toEqual({ kind: "fits" });
  });

  test("is exact for replicas that are all alike", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        (cores, each, count) => {
          const nodes = cores.map((cpu, index) => node(`n${index}`, { cpu: String(cpu) }));
          const possible = cores.reduce((sum, cpu) => sum + Math.floor(cpu / each), 0);
          const found = roomFor({ nodes, pods: [] }, add(count, { cpu: String(each) }));
          expect(found.kind).toBe(possible >= count ? "fits" : "short");
          if (found.kind === "short") expect(found.placed).toBe(possible);
        },
      ),
    );
  });
});
