import { describe, expect, test } from "vitest";
import type { DeploymentObservation, PodObservation, SlotObservation } from "./observation.ts";
import { describeReadiness, readiness } from "./readiness.ts";

const deployment: DeploymentObservation = {
  name: "fraud-blue",
  image: "fraud:1",
  release: 1,
  generation: 3,
  observedGeneration: 3,
  desiredReplicas: 2,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  replicaFailure: undefined,
};

const endpoint = (pod: string) => ({ address: "10.0.0.1", pod });

function slot(changes: Partial<SlotObservation>): SlotObservation {
  return {
    slot: "blue",
    service: { name: "fraud-blue", selector: { app: "fraud", version: "blue" } },
    deployment,
    endpoints: { ready: [endpoint("a"), endpoint("b")], notReady: 0, terminating: 0 },
    pods: [],
    ...changes,
  };
}

function reasons(observed: SlotObservation): readonly string[] {
  const verdict = readiness(observed);
  return verdict.state === "ready" ? [] : verdict.reasons;
}

describe("a slot with a Deployment is ready", () => {
  test("when all desired replicas are ready endpoints", () => {
    expect(readiness(slot({}))).toEqual({ state: "ready", replicas: 2 });
  });

  test("not while one replica is missing", () => {
    const observed = slot({ endpoints: { ready: [endpoint("a")], notReady: 1, terminating: 0 } });
    expect(reasons(observed)).toEqual(["1 of 2 replicas ready"]);
  });

  test("not before its controller has seen the last change", () => {
    const observed = slot({ deployment: { ...deployment, generation: 4 } });
    expect(reasons(observed)).toEqual([
      "the Deployment fraud-blue was changed and its controller has not looked at it yet",
    ]);
  });

  test("not while old pods are still there", () => {
    const observed = slot({ deployment: { ...deployment, replicas: 3 } });
    expect(reasons(observed)).toEqual(["1 pod still runs the former template"]);
  });

  test("not while endpoints are ready but run the former template", () => {
    const observed = slot({ deployment: { ...deployment, updatedReplicas: 1, replicas: 1 } });
    expect(reasons(observed)).toEqual(["1 of 2 replicas run the present template"]);
  });

  test("not with 0 replicas", () => {
    const none = { ...deployment, desiredReplicas: 0, replicas: 0, updatedReplicas: 0 };
    const observed = slot({ deployment: none, endpoints: { ready: [], notReady: 0, terminating: 0 } });
    expect(reasons(observed)).toEqual(["blue has 0 replicas"]);
  });

  test("not when its pods can't be made, for example by quota", () => {
    const observed = slot({
      deployment: { ...deployment, replicas: 0, updatedReplicas: 0, replicaFailure: "exceeded quota: gpu" },
      endpoints: { ready: [], notReady: 0, terminating: 0 },
    });
    expect(reasons(observed)).toContain("exceeded quota: gpu");
  });

  test("not without its Service", () => {
    expect(reasons(slot({ service: undefined }))).toEqual(["the Service of blue does not exist"]);
  });
});

describe("a slot whose pods somebody else runs is ready", () => {
  const own = (ready: number, notReady: number) =>
    slot({
      deployment: undefined,
      endpoints: { ready: Array.from({ length: ready }, () => endpoint("a")), notReady, terminating: 0 },
    });

  test("with one ready endpoint and none that is not", () => {
    expect(readiness(own(1, 0))).toEqual({ state: "ready", replicas: 1 });
  });

  test("not without pods; the reason names the labels", () => {
    expect(reasons(own(0, 0))).toEqual([
      "no pod with the labels app=fraud,version=blue is a ready endpoint of the Service fraud-blue",
    ]);
  });

  test("not while pods have no address yet", () => {
    const pod = (name: string, phase: string): PodObservation => ({
      ...{
        name,
        phase,
        ready: phase === "Running",
        terminating: false,
        former: false,
        restarts: 0,
        lastEnd: undefined,
      },
      problem: undefined,
    });
    const pods = [pod("a", "Running"), pod("b", "Pending"), pod("c", "Succeeded")];
    expect(reasons({ ...own(1, 0), pods })).toEqual(["1 of 2 pods not started yet"]);
  });

  test("not while one of several is not ready", () => {
    expect(reasons(own(2, 1))).toEqual(["1 of 3 endpoints is not ready"]);
  });
});

test("the problems are those of the present pods, and the line names the first", () => {
  const pod = (name: string, former: boolean): PodObservation => ({
    name,
    phase: "Pending",
    ready: false,
    terminating: false,
    restarts: 0,
    lastEnd: undefined,
    former,
    problem: {
      pod: name,
      kind: "image-pull",
      reason: "ErrImagePull",
      message: "no such image",
      final: false,
    },
  });
  const verdict = readiness(
    slot({
      endpoints: { ready: [], notReady: 0, terminating: 0 },
      pods: [pod("old", true), pod("new", false)],
    }),
  );
  expect(verdict).toMatchObject({ problems: [{ pod: "new" }] });
  expect(describeReadiness(verdict)).toBe("0 of 2 replicas ready; pod new: no such image");
});
