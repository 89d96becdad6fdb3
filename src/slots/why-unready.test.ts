import { beforeEach, expect, test } from "vitest";
import { FakeClock, FakeCluster, putSlot, testNamespace } from "../../test/support/rollout-bench.ts";
import { whenHopeless, whyUnready } from "./why-unready.ts";

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
});

const why = async (uid?: string) => (await whyUnready("Deployment", place({ uid }))).lines;

const missingImage = {
  containerStatuses: [
    { name: "model", image: "fraud:9", state: { waiting: { reason: "ErrImageNeverPull" } } },
  ],
};

test("a Deployment says what is missing, and what its pods are at, without any Service", async () => {
  putSlot(cluster, "green", { replicas: 2, ready: 1, podStatus: missingImage });
  expect(await why()).toEqual([
    "1 of 2 replicas ready",
    "pod fraud-green-1: The image fraud:9 is not on the node, and imagePullPolicy is Never",
  ]);
});

test("one that is ready, is not there, or is another one than the one that is meant has nothing to say", async () => {
  expect(await why()).toEqual([]);
  putSlot(cluster, "green", { replicas: 2 });
  expect(await why()).toEqual([]);
  putSlot(cluster, "green", { replicas: 2, ready: 1 });
  expect(await why("another cluster's")).toEqual([]);
  expect(await why("uid of fraud-green")).not.toEqual([]);
});

const place = (more: object = {}) => ({
  api: cluster,
  namespace: testNamespace,
  name: "fraud-green",
  signal: new AbortController().signal,
  ...more,
});

test("waiting longer is pointless once a final problem has lasted; what may pass is waited for", async () => {
  const clock = new FakeClock();
  putSlot(cluster, "green", { replicas: 1, ready: 0 });
  const found = whenHopeless("Deployment", place(), clock);
  const startedAt = clock.now();
  await clock.whenPassed(60_000);
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: missingImage });
  expect((await found).join()).toContain("The image fraud:9 is not on the node");
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(60_000);
});

test("pods that fit on no node are waited for: one may come", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }];
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: { conditions } });
  const found = whenHopeless("Deployment", place({ signal: stop.signal }), clock);
  await clock.whenPassed(300_000);
  stop.abort();
  await expect(found).rejects.toMatchObject({ code: "interrupted" });
});

test("a value that is secret is hidden in what the pods say", async () => {
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: missingImage });
  const saidWith = async (secretPaths: (string | number)[][]) =>
    (await whyUnready("Deployment", place({ secretPaths }))).lines;
  const image = ["spec", "template", "spec", "containers", 0, "image"];
  const said = (await saidWith([["spec", "replicas"], ["nowhere"], image])).join();
  expect(said).toContain("The image fraud:9 is not");
  putSlot(cluster, "green", { replicas: 1, ready: 0, podStatus: missingImage, image: "fraud:9" });
  const hidden = (await saidWith([image])).join();
  expect(hidden).toContain("The image [secret] is not");
  // Of a list that is secret as a whole, what a process is given.
  const list = (await saidWith([image.slice(0, -2)])).join();
  expect(list).toContain("The image fraud:9 is not");
});
