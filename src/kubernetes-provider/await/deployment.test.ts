import { describe, expect, test } from "vitest";
import { crashed, deployment, pod, replicaSet, waiting } from "../fixtures/objects.ts";
import type { PropertyMap } from "../struct.ts";
import { type DeploymentView, deploymentVerdict } from "./deployment.ts";

const view = (more: Partial<DeploymentView> = {}): DeploymentView => ({
  deployment: deployment(),
  generation: 3,
  replicaSets: [replicaSet("1", 0), replicaSet("2", 2)],
  pods: [],
  ...more,
});

const unready = { availableReplicas: 0, conditions: [{ type: "Available", status: "False" }] };
const stuck = {
  availableReplicas: 0,
  conditions: [
    { type: "Available", status: "False" },
    {
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: "has timed out progressing",
    },
  ],
};

const failing = (status: PropertyMap, ...containers: PropertyMap[]) =>
  deploymentVerdict(
    view({
      deployment: deployment(status),
      replicaSets: [replicaSet("2", 0)],
      pods: containers.map((container, index) => pod(`p${index}`, "2", container)),
    }),
  );

describe("a Deployment", () => {
  test("is ready when all pods of the newest revision are ready and the old ones are gone", () => {
    expect(deploymentVerdict(view())).toEqual({ state: "ready" });
  });

  test("is not ready by what its controller said before the change", () => {
    expect(deploymentVerdict(view({ generation: 4 })).state).toBe("waiting");
    expect(deploymentVerdict(view({ deployment: deployment({ observedGeneration: 2 }) })).state).toBe(
      "waiting",
    );
  });

  test("is not ready while pods of the previous revision are there", () => {
    const verdict = deploymentVerdict(view({ deployment: deployment({ replicas: 3 }) }));
    expect(verdict).toMatchObject({
      state: "waiting",
      reasons: [expect.anything(), expect.stringContaining("previous")],
    });
  });

  test("is not ready without the ReplicaSet of its revision, and says why there is none", () => {
    expect(deploymentVerdict(view({ replicaSets: [replicaSet("1", 2)] })).state).toBe("waiting");
    const refused = {
      conditions: [{ type: "ReplicaFailure", status: "True", message: "exceeded quota: q" }],
    };
    const verdict = deploymentVerdict(view({ deployment: deployment(refused), replicaSets: [] }));
    expect(verdict).toMatchObject({ trouble: true, reasons: [expect.stringContaining("exceeded quota")] });
  });

  test("is ready at zero replicas and when its rollout is paused", () => {
    const none = deployment({ replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, { replicas: 0 });
    expect(deploymentVerdict(view({ deployment: none, replicaSets: [replicaSet("2", 0)] })).state).toBe(
      "ready",
    );
    const paused = deployment({ updatedReplicas: 0 }, { paused: true });
    expect(deploymentVerdict(view({ deployment: paused })).state).toBe("ready");
  });

  test("fails early when no retry will help", () => {
    expect(failing(unready, waiting("ErrImageNeverPull"), waiting("ErrImageNeverPull")).state).toBe("failed");
    const refused = waiting("ImagePullBackOff", "pull access denied");
    expect(failing(unready, refused, refused).state).toBe("failed");
    expect(failing(unready, crashed(1, 5), crashed(1, 6)).state).toBe("failed");
  });

  test("goes on waiting while the failure may pass or other pods may make it", () => {
    expect(failing(unready, crashed(1, 2), crashed(1, 2))).toMatchObject({ state: "waiting", trouble: true });
    expect(failing(unready, waiting("ImagePullBackOff", "i/o timeout"))).toMatchObject({ state: "waiting" });
    expect(failing(unready, crashed(1, 9), waiting("ContainerCreating")).state).toBe("waiting");
  });

  test("fails at its progress deadline, unless its pods are just starting", () => {
    expect(failing(stuck, crashed(1, 1))).toMatchObject({
      state: "failed",
      reasons: ["0 of 2 replicas ready", "has timed out progressing", expect.stringContaining("exit code 1")],
    });
    expect(failing(stuck, { state: { running: {} } })).toMatchObject({ state: "waiting", trouble: true });
  });

  test("does not count the pods of another revision", () => {
    const verdict = deploymentVerdict(
      view({
        deployment: deployment(unready),
        replicaSets: [replicaSet("2", 0)],
        pods: [pod("old", "1", crashed(1, 9))],
      }),
    );
    expect(verdict).toMatchObject({ state: "waiting", reasons: ["0 of 2 replicas ready"] });
  });

  test("that is deleted meanwhile has failed", () => {
    expect(deploymentVerdict(view({ deployment: undefined })).state).toBe("failed");
  });
});
