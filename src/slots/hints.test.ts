import { describe, expect, test } from "vitest";
import { hintFor } from "./hints.ts";
import type { PodProblem, PodsRefused, SlotObservation } from "./observation.ts";

function hint(problem: Partial<PodProblem>, events: readonly string[] = [], refused?: PodsRefused): string {
  const observed: SlotObservation = {
    slot: "green",
    service: { name: "fraud-green", selector: { app: "fraud" } },
    deployment: {
      ...{ name: "fraud-green", image: "fraud:2", release: 2, generation: 1, observedGeneration: 1 },
      ...{ desiredReplicas: 1, replicas: 0, updatedReplicas: 0, readyReplicas: 0 },
      replicaFailure: refused?.message,
      ...(refused === undefined ? {} : { refused }),
    },
    endpoints: { ready: [], notReady: 0, terminating: 0 },
    pods: [],
  };
  const { kind = "starting" } = problem;
  const one: PodProblem = { pod: "p", reason: kind, message: "", final: false, ...problem, kind };
  const isWaiting = kind === "starting" || kind === "no-endpoint";
  const verdict = {
    state: "not-ready",
    ...{ readyReplicas: 0, desiredReplicas: 1, reasons: ["0 of 1 replicas ready"] },
    problems: isWaiting ? [] : [one],
    waiting: isWaiting ? [one] : [],
  } as const;
  return hintFor(observed, verdict, [{ pod: "p", logLines: [], events }]);
}

describe("what to do about pods that no node takes depends on what is missing", () => {
  test.each([
    ["0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", /nvidia\.com\/gpu.*device plug-in/],
    ['0/1 nodes are available: persistentvolumeclaim "models" not found.', /volume claim/],
    ["0/1 nodes: pod has unbound immediate PersistentVolumeClaims", /kubectl describe pvc/],
    ["0/3 nodes are available: 3 Insufficient memory.", /capacity/],
  ])("%s", (message, expected) => {
    expect(hint({ kind: "unschedulable", message })).toMatch(expected);
  });
});

test("a volume that cannot be mounted is told from a slow start", () => {
  expect(hint({}, ['FailedMount: secret "nowhere" not found'])).toContain("what the volume names");
  expect(hint({}, [])).toContain("deadlines.ready");
});

describe("what to do about pods that the cluster refuses", () => {
  const refused = (message: string, final: boolean) =>
    hint({}, [], { message, final, id: "1", since: "2026-11-23T08:00:00Z" });

  test.each([
    ['violates PodSecurity "restricted:latest"', true, /security settings/],
    ["exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5", false, /Raise the quota/],
    ['failed calling webhook "x"', false, /webhook does not answer/],
    ["stream error: INTERNAL_ERROR", false, /what the API server says/],
    ['admission webhook "x" denied the request', true, /or have the rule changed/],
  ])("%s", (message, final, expected) => {
    expect(refused(message, final)).toMatch(expected);
    expect(refused(message, final)).toContain("2026-11-23T08:00:00Z");
  });
});
