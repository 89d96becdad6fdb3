import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { refusal, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { ReleaseTemplate, RolloutConfig } from "../../config/model/types.ts";
import type { SlotSpec } from "../../core/model.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { nextReleaseCost } from "./next-release.ts";

const template = (image: string, more: Partial<SlotSpec> = {}): ReleaseTemplate => ({
  image,
  replicas: 2,
  gpus: 1,
  resources: { requests: { cpu: "2" } },
  ...more,
});
let bench: TestBench;

const context = (rollout?: RolloutConfig) =>
  bench.context(templateConfig({ drain: 0, soak: 0, settle: 0, ...rollout }, template("fraud:1")));
const to = (image: string, more?: Partial<SlotSpec>) => ({ template: template(image, more) });

function putNode(name: string, gpus: number, labels: Record<string, string> = {}): void {
  bench.cluster.put(`/api/v1/nodes/${name}`, {
    metadata: { name, labels },
    status: { allocatable: { cpu: "16", memory: "64Gi", pods: "110", "nvidia.com/gpu": String(gpus) } },
  });
}

/** A pod of somebody, as the list of the whole cluster has it. */
function putPod(
  name: string,
  gpus: number,
  nodeName = "node-1",
  namespace = "other",
  more: object = {},
): void {
  const resources = { requests: { "nvidia.com/gpu": String(gpus) } };
  bench.cluster.put(`/api/v1/pods/${name}`, {
    metadata: { name, namespace, ...more },
    spec: { nodeName, containers: [{ resources }] },
  });
}

const warnings = () => bench.events.filter((event) => event.type === "warning").map(({ code }) => code);
const evidence = () =>
  bench.events
    .filter((event) => event.type === "step" && event.id === "capacity" && event.state === "done")
    .map((event) => (event.type === "step" ? event.detail : ""));

beforeEach(async () => {
  bench = testBench();
  putNode("node-1", 4);
  await up(context(), noFlags);
  bench.events.length = 0;
  putPod("fraud-blue-0", 1, "node-1", testNamespace);
  putPod("fraud-blue-1", 1, "node-1", testNamespace);
});

describe("a release", () => {
  test("goes on where its pods find room, and says what it takes", async () => {
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(evidence()).toEqual(["2 more replicas (2 nvidia.com/gpu, 4 cpu): they fit"]);
    expect(warnings()).toEqual([]);
  });

  test("counts pods that are about to end as gone", async () => {
    putPod("else", 2, "node-1", "other", { deletionTimestamp: "2026-11-23T08:00:00Z" });
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(warnings()).toEqual([]);
  });

  test("is refused where they do not, before anything is written", async () => {
    putPod("else", 1);
    const before = bench.cluster.requests.length;
    await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({
      code: "capacity-short",
      exitCode: 1,
      message: expect.stringContaining(
        "2 more replicas with 1 nvidia.com/gpu, 2 cpu each need a place, and 1 finds one: 1 of 4 nvidia.com/gpu is free on 1 node",
      ),
    });
    const written = bench.cluster.requests
      .slice(before)
      .filter(({ method, path }) => method !== "GET" && !path.includes("selfsubject"));
    expect(written).toEqual([]);
    expect(await context().store.read()).not.toHaveProperty("rollout");
  });

  test("goes on all the same where that is asked for, or where nobody looks", async () => {
    putPod("else", 2);
    expect(await release(context({ capacity: "warn" }), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(warnings()).toEqual(["capacity-short"]);
    expect(evidence()).toEqual([
      "2 more replicas (2 nvidia.com/gpu, 4 cpu): 0 of 2 find room, 0 of 4 nvidia.com/gpu are free on 1 node",
    ]);
    bench.events.length = 0;
    expect(await release(context({ capacity: "skip" }), to("fraud:3"))).toMatchObject({ kind: "live" });
    expect(warnings()).toEqual(["warm-slot-given-up"]);
    expect(evidence()).toEqual([]);
  });

  test.each([
    [
      "the Cluster Autoscaler",
      () => bench.cluster.put("/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status", {}),
    ],
    ["Karpenter", () => putNode("node-1", 4, { "karpenter.sh/nodepool": "gpu" })],
    ["EKS Auto Mode", () => putNode("node-1", 4, { "eks.amazonaws.com/compute-type": "auto" })],
  ])("leaves it to %s to add nodes", async (name, prepare) => {
    putPod("else", 2);
    prepare();
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(warnings()).toEqual(["capacity-short"]);
    expect(JSON.stringify(bench.events)).toContain(`${name} has to add nodes`);
  });

  test("that empties the live slot first counts its pods as gone", async () => {
    putPod("else", 2);
    const { record, observation, routing } = await observeDeployed(context());
    const cost = (rollout: RolloutConfig) =>
      nextReleaseCost(context(rollout), { record, observation, routing });
    expect(await cost({ mode: "full" })).toMatchObject({ capacity: { verdict: { kind: "short" } } });
    expect(await cost({ mode: "recreate" })).toMatchObject({ capacity: { verdict: { kind: "fits" } } });
  });

  test("warns where it may not look", async () => {
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path === "/api/v1/nodes" ? refusal(403, "Forbidden") : others?.(request);
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(warnings()).toEqual(["capacity-unknown"]);
    expect(evidence()[0]).toContain("cannot be seen (this account may not list nodes and pods");
  });

  test("into a slot whose former pods are still there needs room for the first, and for all in their place", async () => {
    await release(context(), to("fraud:2"));
    putPod("fraud-green-0", 1, "node-1", testNamespace);
    putPod("fraud-green-1", 1, "node-1", testNamespace);
    await expect(release(context(), to("fraud:3"))).rejects.toMatchObject({
      code: "capacity-short",
      message: expect.stringContaining("1 more replica with 1 nvidia.com/gpu"),
    });
    putNode("node-2", 1);
    expect(await release(context(), to("fraud:3"))).toMatchObject({ kind: "live" });
    await expect(release(context(), to("fraud:4", { gpus: 2 }))).rejects.toMatchObject({
      code: "capacity-short",
    });
  });

  test("goes by the pods' labels and tolerations, and by the class of their runtime", async () => {
    const pod = { nodeSelector: { accelerator: "h100" }, runtimeClass: "sandboxed" };
    await expect(release(context(), to("fraud:2", { pod }))).rejects.toMatchObject({
      message: expect.stringContaining("Left out: 1 node without the label accelerator=h100"),
    });
    putNode("node-2", 8, { accelerator: "h100" });
    bench.cluster.put("/apis/node.k8s.io/v1/runtimeclasses/sandboxed", {
      overhead: { podFixed: { cpu: "7" } },
    });
    await expect(release(context(), to("fraud:2", { pod }))).rejects.toMatchObject({
      message: expect.stringContaining("16 of 16 cpu are free"),
    });
    bench.cluster.put("/apis/node.k8s.io/v1/runtimeclasses/sandboxed", {
      overhead: { podFixed: { cpu: "1" } },
    });
    expect(await release(context(), to("fraud:2", { pod }))).toMatchObject({ kind: "live" });
  });
});

describe("a rollback", () => {
  test("to a warm slot asks for no room; to a cold one it does", async () => {
    await release(context(), to("fraud:2"));
    putPod("else", 2);
    expect(await rollback(context())).toMatchObject({ state: { outcome: "released" } });
    // It is said, and never refused.
    expect(await rollback(context(), { to: 2 })).toMatchObject({ state: { outcome: "released" } });
    expect(bench.events).toContainEqual(expect.objectContaining({ type: "warning", code: "capacity-short" }));
  });
});

test("`plan` knows beforehand what a release takes, and for how long", async () => {
  putPod("else", 1);
  const { record, observation, routing } = await observeDeployed(context());
  const cost = (rollout: RolloutConfig) =>
    nextReleaseCost(context(rollout), { record, observation, routing });
  const found = await cost({ steps: "10%:1m, 50%:2m", soak: 10, rollbackWindow: 300, drain: 20, settle: 0 });
  expect(found).toMatchObject({
    capacity: { replicas: 2, requests: { cpu: 4, "nvidia.com/gpu": 2 }, verdict: { kind: "short" } },
    stretches: [
      { name: "steps", ms: 180_000 },
      { name: "soak", ms: 10_000 },
      { name: "drain", ms: 20_000 },
      { name: "rollback window", ms: 300_000 },
    ],
  });
  expect(await cost({ capacity: "skip" })).toBe(undefined);
});

test("many pods come in pages", async () => {
  putPod("else", 2);
  const others = bench.cluster.intercept;
  const asked: unknown[] = [];
  bench.cluster.intercept = (request) => {
    if (request.path !== "/api/v1/pods") return others?.(request);
    asked.push(request.query?.continue);
    const pod = (name: string) => ({
      metadata: { name, namespace: "x" },
      spec: { nodeName: "node-1", containers: [{ resources: { requests: { "nvidia.com/gpu": "2" } } }] },
    });
    const isFirst = request.query?.continue === undefined;
    return {
      status: 200,
      headers: {},
      body: JSON.stringify({
        items: [pod(isFirst ? "a" : "b")],
        metadata: isFirst ? { continue: "next" } : {},
      }),
    };
  };
  await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({ code: "capacity-short" });
  expect(asked).toEqual([undefined, "next"]);
});
