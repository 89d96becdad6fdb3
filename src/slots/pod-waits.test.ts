import { describe, expect, test } from "vitest";
import type { PodObject } from "./kubernetes-objects.ts";
import { podProblem } from "./pod-problems.ts";
import { type EndpointView, podWait } from "./pod-waits.ts";

const view: EndpointView = {
  service: "fraud-green",
  selector: { app: "fraud" },
  listed: new Set<string>(),
  portless: new Set<string>(),
};
const scheduled = { type: "PodScheduled", status: "True" };
const at = (pod: Omit<PodObject, "metadata">, seen = view) =>
  podWait({ metadata: { name: "p", labels: { app: "fraud" } }, ...pod }, seen)?.message;

describe("a pod that is not ready is always at something", () => {
  test("no scheduler has looked at it", () => {
    const pod = { spec: { schedulerName: "volcano" }, status: { phase: "Pending" } };
    expect(at(pod)).toBe('No scheduler has looked at it so far: it asks for "volcano"');
  });

  test("an init container that never ends; its probes are none", () => {
    const pod: PodObject = {
      metadata: { name: "p" },
      spec: { nodeName: "n", initContainers: [{ name: "wait-for-db" }] },
      status: {
        phase: "Pending",
        conditions: [scheduled],
        initContainerStatuses: [
          {
            name: "wait-for-db",
            ready: false,
            started: true,
            state: { running: { startedAt: "2026-11-23T08:00:00Z" } },
          },
        ],
        containerStatuses: [{ name: "model", state: { waiting: { reason: "PodInitializing" } } }],
      },
    };
    expect(podProblem(pod)).toBeUndefined();
    expect(podWait(pod, view)).toMatchObject({
      kind: "starting",
      container: "wait-for-db",
      message: "Its init container wait-for-db is still running, since 2026-11-23T08:00:00Z",
    });
  });

  test("a sidecar among the init containers that does not start, or is not ready", () => {
    const spec = { nodeName: "n", initContainers: [{ name: "proxy", restartPolicy: "Always" }] };
    const running = { running: { startedAt: "2026-11-23T08:00:00Z" } };
    const status = (started: boolean) => ({
      phase: "Pending",
      conditions: [scheduled],
      initContainerStatuses: [{ name: "proxy", ready: false, started, state: running }],
      containerStatuses: [{ name: "model", ready: true, started: true, state: running }],
    });
    expect(at({ spec, status: status(false) })).toBe("Its sidecar proxy has not started yet");
    expect(podProblem({ metadata: { name: "p" }, spec, status: status(true) })).toMatchObject({
      kind: "failing-probe",
      container: "proxy",
    });
  });

  test.each([
    [{ waiting: { reason: "ContainerCreating" } }, "Container model has not begun yet (ContainerCreating)"],
    [{ running: {} }, "Container model runs, but its startup probe has not passed yet"],
  ])("a container: %j", (state, message) => {
    const containerStatuses = [{ name: "model", ready: false, started: false, state }];
    expect(at({ spec: { nodeName: "n" }, status: { conditions: [scheduled], containerStatuses } })).toBe(
      message,
    );
  });

  test("a node that does not begin, or has gone", () => {
    expect(at({ spec: { nodeName: "n1" }, status: { conditions: [scheduled] } })).toBe(
      "The node n1 has not begun to start it",
    );
    const gone = [scheduled, { type: "ContainersReady", status: "True" }, { type: "Ready", status: "False" }];
    const containerStatuses = [{ name: "model", ready: true, started: true, state: { running: {} } }];
    expect(at({ spec: { nodeName: "n1" }, status: { conditions: gone, containerStatuses } })).toContain(
      "its node may have gone",
    );
  });
});

describe("gates", () => {
  const containersReady = [
    scheduled,
    { type: "ContainersReady", status: "True" },
    { type: "Ready", status: "False", reason: "ReadinessGatesNotReady" },
  ];

  test("of readiness are named, with what their controller says", () => {
    const problem = podProblem({
      metadata: { name: "p" },
      spec: {
        readinessGates: [
          { conditionType: "example.com/a" },
          { conditionType: "example.com/b" },
          { conditionType: "example.com/c" },
        ],
      },
      status: {
        conditions: [
          ...containersReady,
          { type: "example.com/a", status: "True" },
          { type: "example.com/b", status: "False", reason: "Unhealthy", message: "no target" },
        ],
      },
    });
    expect(problem).toMatchObject({ kind: "readiness-gate", final: false });
    expect(problem?.message).toContain(
      'gates "example.com/b" (Unhealthy: no target), "example.com/c", which',
    );
  });

  test("of scheduling are named", () => {
    const problem = podProblem({
      metadata: { name: "p" },
      spec: { schedulingGates: [{ name: "kueue.x-k8s.io/admission" }] },
      status: {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }],
      },
    });
    expect(problem).toMatchObject({
      kind: "scheduling-gate",
      message: "It waits for its scheduling gates to be removed: kueue.x-k8s.io/admission",
    });
  });
});

describe("a ready pod that gets no requests", () => {
  const ready = { status: { conditions: [{ type: "Ready", status: "True" }] } };

  test("is named, with the reason", () => {
    expect(at(ready)).toBe("It is ready, but no endpoint of the Service fraud-green yet");
    expect(at(ready, { ...view, selector: { app: "fraud", tier: "web" } })).toContain("it lacks tier=web");
    expect(at(ready, { ...view, portless: new Set(["p"]) })).toContain("no container of it has the port");
  });

  test("is none where it is an endpoint, or where there is no Service", () => {
    expect(at(ready, { ...view, listed: new Set(["p"]) })).toBeUndefined();
    expect(at(ready, { ...view, service: undefined })).toBeUndefined();
  });
});
