import { describe, expect, test } from "vitest";
import { crashed, pod, waiting } from "../fixtures/objects.ts";
import { describeProblems, isReady, podProblems } from "./pods.ts";

const problem = (container: Parameters<typeof pod>[2]) => podProblems(pod("p", "1", container))[0];

describe("what is wrong with a pod", () => {
  test("nothing, when it is ready or starting", () => {
    expect(podProblems(pod("p", "1"))).toEqual([]);
    expect(isReady(pod("p", "1"))).toBe(true);
    expect(problem(waiting("ContainerCreating"))).toBeUndefined();
  });

  test("a crash names exit code and restarts, and asks for the log of the container before", () => {
    expect(problem(crashed(3, 2))).toMatchObject({
      reason: "CrashLoopBackOff",
      message: "ended with exit code 3, restarted 2 times",
      severity: "failing",
      logs: "previous",
    });
  });

  test("a container that can't be started never will be", () => {
    const terminated = { exitCode: 128, reason: "StartError", message: "exec: no such file" };
    const status = { ...crashed(128, 1), lastState: { terminated } };
    expect(problem(status)).toMatchObject({ severity: "hopeless", logs: undefined });
  });

  test("out of memory is said", () => {
    const status = { restartCount: 0, state: { terminated: { exitCode: 137, reason: "OOMKilled" } } };
    expect(problem(status)).toMatchObject({
      reason: "OOMKilled",
      message: "ended with exit code 137 (OOMKilled)",
    });
  });

  test("running without getting ready may still mend itself", () => {
    expect(problem({ state: { running: {} } })).toMatchObject({ reason: "NotReady", severity: "mending" });
  });

  test("a pod that no node takes says why", () => {
    const pending = {
      metadata: { name: "p" },
      status: {
        phase: "Pending",
        conditions: [
          { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no memory" },
        ],
      },
    };
    expect(describeProblems(podProblems(pending))).toEqual(["pod p: Unschedulable: no memory"]);
  });

  test("the same problem of several pods is one line", () => {
    const problems = ["a", "b"].flatMap((name) => podProblems(pod(name, "1", crashed(1, 1))));
    expect(describeProblems(problems)).toEqual([
      "pods a, b, container m: CrashLoopBackOff: ended with exit code 1, restarted once",
    ]);
  });
});
