import { describe, expect, test } from "vitest";
import type { ContainerStatus, PodObject } from "./kubernetes-objects.ts";
import { podProblem } from "./pod-problems.ts";

function pod(container: Partial<ContainerStatus>, status: PodObject["status"] = {}): PodObject {
  return {
    metadata: { name: "fraud-blue-0" },
    status: { phase: "Pending", containerStatuses: [{ name: "model", ...container }], ...status },
  };
}

describe("podProblem", () => {
  test.each(["ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName"])("%s is final", (reason) => {
    const problem = podProblem(pod({ image: "fraud:9", state: { waiting: { reason, message: "why" } } }));
    expect(problem).toMatchObject({ kind: "image-pull", reason, final: true });
    expect(problem?.message).toContain("fraud:9");
  });

  test.each(["i/o timeout", "503 Service Unavailable", "429 Too Many Requests", "connection refused"])(
    "a registry that says %s may come back, however often it was asked",
    (why) => {
      const message = `Back-off pulling image "fraud:9": ErrImagePull: ${why}`;
      const waiting = { reason: "ImagePullBackOff", message };
      expect(podProblem(pod({ state: { waiting } }))).toMatchObject({ kind: "image-pull", final: false });
    },
  );

  test("a first failed pull may still pass", () => {
    const problem = podProblem(pod({ state: { waiting: { reason: "ErrImagePull", message: "timeout" } } }));
    expect(problem).toMatchObject({ kind: "image-pull", final: false });
  });

  test("a crash loop says how the container ended last", () => {
    const problem = podProblem(
      pod({
        restartCount: 2,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
      }),
    );
    expect(problem).toMatchObject({ kind: "crash-loop", final: true });
    expect(problem?.message).toBe("Container model keeps ending: OOMKilled, exit code 137 (2 restarts)");
  });

  test("another model than the digest says is final at once, in the words of the init container", () => {
    const message = "The model in /mnt/models has the digest sha256:1, but the release says sha256:2.";
    const ended = { terminated: { exitCode: 65, message: `${message}\n` } };
    for (const status of [
      { state: ended },
      { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: ended },
    ]) {
      const problem = podProblem(
        pod({}, { initContainerStatuses: [{ name: "verify-model", restartCount: 0, ...status }] }),
      );
      expect(problem).toMatchObject({
        kind: "model-digest",
        final: true,
        message,
        container: "verify-model",
      });
    }
  });

  test("a model that cannot be fetched may come with another try, until the kubelet backs off", () => {
    const ended = {
      terminated: { exitCode: 1, message: "trying again\nhttp://store/m answers 404 Not Found" },
    };
    const of = (status: Partial<ContainerStatus>) =>
      podProblem(pod({}, { initContainerStatuses: [{ name: "fetch-model", ...status }] }));
    expect(of({ state: ended })).toMatchObject({
      kind: "model-fetch",
      final: false,
      message: "The model cannot be fetched: http://store/m answers 404 Not Found",
    });
    const again = { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: ended, restartCount: 2 };
    expect(of(again)).toMatchObject({ kind: "model-fetch", final: true });
    expect(of({ state: { terminated: { exitCode: 0 } } })).toBeUndefined();
  });

  test("a container runtime without image volumes is said in words", () => {
    const message = 'failed to generate container "5": failed to mkdir "": mkdir : no such file or directory';
    const problem = podProblem(pod({ state: { waiting: { reason: "CreateContainerError", message } } }));
    expect(problem).toMatchObject({ kind: "container-config", final: true });
    expect(problem?.message).toContain("containerd 2.1");
  });

  test("one crash is not yet a loop", () => {
    const crashed = podProblem(
      pod({ restartCount: 0, state: { terminated: { exitCode: 1, reason: "Error" } } }),
    );
    expect(crashed).toBeUndefined();
    const again = podProblem(
      pod({ restartCount: 1, state: { terminated: { exitCode: 1, reason: "Error" } } }),
    );
    expect(again).toMatchObject({ kind: "crash-loop", final: false });
  });

  test("an init container's problem counts", () => {
    const problem = podProblem({
      metadata: { name: "p" },
      status: {
        initContainerStatuses: [
          { name: "fetch", restartCount: 3, state: { waiting: { reason: "CrashLoopBackOff" } } },
        ],
      },
    });
    expect(problem?.message).toContain("Container fetch");
  });

  test("a pod that no node takes shows the scheduler's words", () => {
    const problem = podProblem(
      pod(
        {},
        {
          conditions: [
            {
              type: "PodScheduled",
              status: "False",
              reason: "Unschedulable",
              message: "0/3 nodes: Insufficient nvidia.com/gpu",
            },
          ],
        },
      ),
    );
    expect(problem).toMatchObject({
      kind: "unschedulable",
      message: "0/3 nodes: Insufficient nvidia.com/gpu",
    });
  });

  test("a missing Secret is final", () => {
    const problem = podProblem(
      pod({
        state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "key" not found' } },
      }),
    );
    expect(problem).toMatchObject({
      kind: "container-config",
      message: 'secret "key" not found',
      final: true,
    });
  });

  test("a container that runs but is not ready fails its probe", () => {
    const problem = podProblem(pod({ ready: false, started: true, state: { running: {} } }));
    expect(problem).toMatchObject({ kind: "failing-probe", final: false });
  });

  test("an evicted pod", () => {
    const problem = podProblem(
      pod({}, { phase: "Failed", reason: "Evicted", message: "node was low on memory" }),
    );
    expect(problem).toMatchObject({ kind: "evicted", reason: "Evicted" });
  });

  test("nothing is wrong with a pod that starts, is ready, or is on its way out", () => {
    expect(podProblem(pod({ state: { waiting: { reason: "ContainerCreating" } } }))).toBeUndefined();
    expect(podProblem(pod({ ready: true, started: true, state: { running: {} } }))).toBeUndefined();
    const leaving = pod({ state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 9 });
    const metadata = { name: "p", deletionTimestamp: "2026-11-23T08:00:00Z" };
    expect(podProblem({ ...leaving, metadata })).toBeUndefined();
  });
});
