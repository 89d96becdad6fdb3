import { beforeEach, describe, expect, test } from "vitest";
import {
  refusal,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import type { CapacityPolicy } from "../../config/rollout/capacity-policy.ts";
import { resolveRollout } from "../../config/rollout/rollout.ts";
import { nodesMayCome } from "./nodes-may-come.ts";

let bench: TestBench;
const ask = (capacity: CapacityPolicy = "require") =>
  nodesMayCome(bench.context(testConfig({ rollout: resolveRollout({ capacity }) })), "fraud-green-0");
const says = (reason: string) =>
  bench.cluster.put(`/api/v1/namespaces/${testNamespace}/events/${reason}`, { reason });
const karpenter = () =>
  bench.cluster.put("/api/v1/nodes/node-2", { metadata: { labels: { "karpenter.sh/nodepool": "gpu" } } });

beforeEach(() => {
  bench = testBench();
});

describe("a node may come", () => {
  test("not where nothing adds any", async () => {
    expect(await ask()).toBe(false);
  });

  test.each(["TriggeredScaleUp", "Nominated"])("where an autoscaler says so: %s", async (reason) => {
    says(reason);
    says("NotTriggerScaleUp");
    expect(await ask()).toBe(true);
  });

  test("where there is an autoscaler, unless it says no", async () => {
    karpenter();
    expect(await ask()).toBe(true);
    says("NotTriggerScaleUp");
    expect(await ask()).toBe(false);
  });

  test("also for an account that may not read events, or not the nodes", async () => {
    karpenter();
    const others = bench.cluster.intercept;
    const forbid = (path: RegExp) => {
      bench.cluster.intercept = (request) =>
        path.test(request.path) ? refusal(403, "Forbidden") : others?.(request);
    };
    forbid(/events$/);
    expect(await ask()).toBe(true);
    forbid(/nodes|kube-system/);
    expect(await ask()).toBe(false);
    says("TriggeredScaleUp");
    expect(await ask()).toBe(true);
  });

  test("where somebody asked to go on all the same", async () => {
    expect([await ask("warn"), await ask("skip")]).toEqual([true, true]);
  });
});
