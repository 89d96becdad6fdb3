import { describe, expect, test } from "vitest";
import { FakeClock } from "../../test/support/rollout-bench.ts";
import type { PodProblem, SlotObservation } from "./observation.ts";
import { type WaitReadyOptions, waitReady } from "./wait-ready.ts";

const signal = new AbortController().signal;

function slot(ready: number, problem?: PodProblem, changes: Partial<SlotObservation> = {}): SlotObservation {
  return {
    slot: "green",
    service: { name: "fraud-green", selector: { app: "fraud" } },
    deployment: {
      name: "fraud-green",
      image: "fraud:2",
      release: 2,
      generation: 1,
      observedGeneration: 1,
      desiredReplicas: 3,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: ready,
      replicaFailure: undefined,
    },
    endpoints: {
      ready: Array.from({ length: ready }, (_, index) => ({ address: "10.0.0.1", pod: String(index) })),
      notReady: 3 - ready,
      terminating: 0,
    },
    pods:
      problem === undefined
        ? []
        : [
            {
              name: problem.pod,
              phase: "Pending",
              ready: false,
              terminating: false,
              former: false,
              restarts: 0,
              lastEnd: undefined,
              problem,
            },
          ],
    ...changes,
  };
}

function wait(
  observations: (at: number) => SlotObservation,
  changes: Partial<Pick<WaitReadyOptions, "deadlineMs" | "signal" | "nodesMayCome" | "refusedBefore">> = {},
) {
  const clock = new FakeClock();
  const startedAt = clock.now();
  const details: (string | undefined)[] = [];
  const result = waitReady({
    observe: () => Promise.resolve(observations(clock.now() - startedAt)),
    evidence: ({ pod }) => Promise.resolve({ pod, logLines: ["boom"], events: ["BackOff: restarting"] }),
    deadlineMs: 60_000,
    clock,
    signal,
    progress: ({ detail }) => details.push(detail),
    ...changes,
  });
  return { result, details, elapsed: () => clock.now() - startedAt };
}

const problem = (changes: Partial<PodProblem>): PodProblem => ({
  pod: "fraud-green-0",
  kind: "image-pull",
  reason: "ErrImageNeverPull",
  message: "The image fraud:2 is not on the node",
  final: true,
  ...changes,
});

describe("waitReady", () => {
  test("reports each new state once, until all replicas are ready", async () => {
    const { result, details } = wait((at) => slot(at < 500 ? 0 : at < 1000 ? 2 : 3));
    await expect(result).resolves.toEqual({ state: "ready", replicas: 3 });
    expect(details).toEqual(["0 of 3 replicas ready", "2 of 3 replicas ready"]);
  });

  test("ends at the deadline with what it saw last", async () => {
    const { result } = wait(() => slot(2));
    await expect(result).rejects.toMatchObject({
      code: "slot-not-ready",
      message: "green did not become ready within 60 s: 2 of 3 replicas ready.",
      details: { readyReplicas: 2, desiredReplicas: 3 },
    });
  });

  test("ends early when waiting is pointless, with the pod's last words", async () => {
    const { result, elapsed } = wait(() => slot(0, problem({})));
    await expect(result).rejects.toMatchObject({
      code: "slot-not-ready",
      hint: expect.stringContaining("fraud:2"),
    });
    await expect(result).rejects.toThrow(/not on the node[\s\S]*BackOff: restarting[\s\S]*log: boom/);
    expect(elapsed()).toBeLessThan(3_000);
  });

  const refused = (final: boolean, id = "new") => {
    const none = slot(0);
    if (none.deployment === undefined) throw new Error("the slot has a Deployment");
    const message = 'pods "x" is forbidden: violates PodSecurity "restricted:latest"';
    const deployment = {
      ...{ ...none.deployment, replicas: 0, updatedReplicas: 0, replicaFailure: message },
      refused: { message, final, id, since: "2026-11-23T08:00:00Z" },
    };
    return { ...none, deployment };
  };

  test("ends at once where the cluster never takes such pods, in the API server's words", async () => {
    const { result, elapsed } = wait(() => refused(true), { refusedBefore: { id: undefined } });
    await expect(result).rejects.toMatchObject({
      code: "slot-not-ready",
      message: expect.stringContaining('violates PodSecurity "restricted:latest"'),
      hint: expect.stringContaining("2026-11-23T08:00:00Z"),
    });
    expect(elapsed()).toBeLessThan(3_000);
  });

  test("a refusal that may pass is waited for, and shown", async () => {
    const { result, details } = wait((at) => (at < 30_000 ? refused(false) : slot(3)));
    await expect(result).resolves.toMatchObject({ state: "ready" });
    expect(details[0]).toContain("violates PodSecurity");
  });

  test("a refusal from before may have been mended since: Kubernetes gets time to try again", async () => {
    const mended = wait((at) => (at < 40_000 ? refused(true, "old") : slot(3)), {
      refusedBefore: { id: "old" },
      deadlineMs: 600_000,
    });
    await expect(mended.result).resolves.toMatchObject({ state: "ready" });
    const first = wait((at) => (at < 40_000 ? refused(true, "old") : slot(3)), { deadlineMs: 600_000 });
    await expect(first.result).resolves.toMatchObject({ state: "ready" });
    const never = wait(() => refused(true, "old"), { deadlineMs: 600_000 });
    await expect(never.result).rejects.toMatchObject({ code: "slot-not-ready" });
    expect(never.elapsed()).toBeLessThan(70_000);
  });

  test("at the deadline, pods without a problem are named by what they are at", async () => {
    const waiting = problem({
      kind: "starting",
      message: "Its init container x is still running",
      final: false,
    });
    const pods = [{ ...slot(0, waiting).pods[0], problem: undefined, waiting }] as SlotObservation["pods"];
    const { result } = wait(() => slot(0, undefined, { pods }));
    await expect(result).rejects.toThrow(/init container x is still running[\s\S]*log: boom/);
  });

  test("what a container needs may come a little later", async () => {
    const missing = problem({ kind: "container-config", reason: "CreateContainerConfigError" });
    const late = wait((at) => (at < 10_000 ? slot(0, missing) : slot(3)));
    await expect(late.result).resolves.toMatchObject({ state: "ready" });
    const never = wait(() => slot(0, missing));
    await expect(never.result).rejects.toMatchObject({ code: "slot-not-ready" });
    expect(never.elapsed()).toBeLessThan(20_000);
  });

  test("a passing problem does not end it", async () => {
    const { result } = wait((at) => (at < 5_000 ? slot(0, problem({ final: false })) : slot(3)));
    await expect(result).resolves.toMatchObject({ state: "ready" });
  });

  test("gives an autoscaler a moment before unschedulable is final", async () => {
    const unschedulable = problem({ kind: "unschedulable", reason: "Unschedulable", final: false });
    const scaled = wait((at) => (at < 15_000 ? slot(0, unschedulable) : slot(3)));
    await expect(scaled.result).resolves.toMatchObject({ state: "ready" });
    const full = wait(() => slot(0, unschedulable));
    await expect(full.result).rejects.toMatchObject({ code: "slot-not-ready" });
    expect(full.elapsed()).toBeLessThan(30_000);
  });

  test("waits for a node as long as one may come, and asks once", async () => {
    const unschedulable = problem({ kind: "unschedulable", reason: "Unschedulable", final: false });
    const asked: string[] = [];
    const nodesMayCome = (comes: boolean) => (pod: string) => {
      asked.push(pod);
      return Promise.resolve(comes);
    };
    const slow = wait((at) => (at < 50_000 ? slot(0, unschedulable) : slot(3)), {
      nodesMayCome: nodesMayCome(true),
    });
    await expect(slow.result).resolves.toMatchObject({ state: "ready" });
    expect(asked).toEqual(["fraud-green-0"]);
    const never = wait(() => slot(0, unschedulable), { nodesMayCome: nodesMayCome(true) });
    await expect(never.result).rejects.toThrow(/within 60 s/);
    const none = wait(() => slot(0, unschedulable), { nodesMayCome: nodesMayCome(false) });
    await expect(none.result).rejects.toMatchObject({ code: "slot-not-ready" });
    expect(none.elapsed()).toBeLessThan(30_000);
  });

  test("problems count only once pods of the present template exist", async () => {
    const stale = slot(0, problem({}));
    const { deployment } = stale;
    if (deployment === undefined) throw new Error("the slot has a Deployment");
    const before = { ...stale, deployment: { ...deployment, generation: 2 } };
    const { result } = wait((at) => (at < 5_000 ? before : slot(3)));
    await expect(result).resolves.toMatchObject({ state: "ready" });
  });

  test("the time begins when the slot exists", async () => {
    const absent = slot(0, undefined, { service: undefined, deployment: undefined });
    const { result } = wait((at) => (at < 100_000 ? absent : at < 130_000 ? slot(1) : slot(3)));
    await expect(result).resolves.toMatchObject({ state: "ready" });
  });

  test("a slot that never comes into being ends it too", async () => {
    const absent = slot(0, undefined, { service: undefined, deployment: undefined });
    const { result, elapsed } = wait(() => absent);
    await expect(result).rejects.toMatchObject({ code: "slot-not-ready" });
    expect(elapsed()).toBeLessThan(200_000);
  });

  test("ends when the user stops it", async () => {
    const stop = new AbortController();
    const { result } = wait(
      (at) => {
        if (at > 1_000) stop.abort();
        return slot(0);
      },
      { signal: stop.signal },
    );
    await expect(result).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  });
});
