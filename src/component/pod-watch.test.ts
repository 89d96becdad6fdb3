import { beforeEach, expect, test } from "vitest";
import { FakeClock, FakeCluster, putSlot, testNamespace } from "../../test/support/rollout-bench.ts";
import { objectNames } from "../core/names.ts";
import { PodWatch } from "./pod-watch.ts";

let cluster: FakeCluster;
let clock: FakeClock;
let said: string[];
let watch: PodWatch;

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock();
  said = [];
  watch = new PodWatch({
    names: objectNames("fraud"),
    say: async (message) => void said.push(message),
    clock,
  });
});

const begin = () => watch.begin("green", async () => ({ api: cluster, namespace: testNamespace }));
const missingImage = {
  containerStatuses: [
    { name: "model", image: "fraud:9", state: { waiting: { reason: "ErrImageNeverPull" } } },
  ],
};

test("pods that can't become ready are told at once, while Pulumi waits", async () => {
  await begin();
  const startedAt = clock.now();
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: missingImage });
  await expect.poll(() => said).toHaveLength(1);
  expect(said[0]).toContain("fraud:9 is not on the node");
  expect(said[0]).toContain("Pulumi waits on");
  expect(clock.now() - startedAt).toBeLessThan(30_000);
});

test("others are told before Pulumi's time is over", async () => {
  await begin();
  putSlot(cluster, "green", { replicas: 2, ready: 1 });
  await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(1);
  expect(said[0]).toContain("did not become ready within 570 s: 1 of 2 replicas ready");
});

test("what is ready, or not waited for any more, is not told", async () => {
  await begin();
  putSlot(cluster, "green", { replicas: 1 });
  await expect.poll(() => cluster.requests.length).toBeGreaterThan(5);
  await begin();
  watch.end("green");
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: missingImage });
  for (let look = 0; look < 50; look += 1) await clock.sleep(1_000);
  expect(said).toEqual([]);
});

test("a cluster that cannot be looked at fails nothing", async () => {
  await watch.begin("green", () => Promise.reject(new Error("no such context")));
  cluster.intercept = () => Promise.reject(new Error("away"));
  await begin();
  expect(said).toEqual([]);
});
