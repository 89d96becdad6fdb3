import { expect, test } from "vitest";
import { FakeCluster, testNamespace } from "../../test/support/rollout-bench.ts";
import { podEvidence } from "./pod-evidence.ts";

test("the events of a pod say each thing once, and not what the problem says already", async () => {
  const cluster = new FakeCluster();
  const say = (id: string, message: string) =>
    cluster.put(`/api/v1/namespaces/${testNamespace}/events/${id}`, {
      metadata: { creationTimestamp: `2026-11-23T08:00:0${id}Z` },
      reason: "Failed",
      message,
    });
  say("1", "Error: ErrImagePull");
  say("2", "back-off");
  say("3", "the disk is full");
  say("4", "the disk is full");
  const problem = {
    pod: "fraud-green-0",
    kind: "image-pull",
    reason: "ErrImagePull",
    message: "The image fraud:9 cannot be pulled: back-off",
    final: true,
  } as const;
  const { events } = await podEvidence(cluster, testNamespace, problem);
  expect(events).toEqual(["Failed: the disk is full"]);
});
