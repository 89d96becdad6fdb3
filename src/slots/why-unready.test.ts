import { beforeEach, expect, test } from "vitest";
import { FakeCluster, putSlot, testNamespace } from "../../test/support/rollout-bench.ts";
import { whyUnready } from "./why-unready.ts";

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
});

const why = (uid?: string) =>
  whyUnready({
    api: cluster,
    namespace: testNamespace,
    name: "fraud-green",
    uid,
    signal: new AbortController().signal,
  });

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
