import { describe, expect, test } from "vitest";
import { crashed, pod, waiting } from "../fixtures/objects.ts";
import { definitionVerdict } from "./definition.ts";
import { waitForVerdict } from "./wait-for.ts";
import { daemonSetVerdict, jobVerdict, podVerdict, statefulSetVerdict } from "./workloads.ts";

describe("other workloads", () => {
  test("a StatefulSet is ready when all replicas are ready and updated", () => {
    const set = (readyReplicas: number, updatedReplicas: number, observedGeneration = 1) => ({
      metadata: { generation: 1 },
      spec: { replicas: 2 },
      status: { observedGeneration, readyReplicas, updatedReplicas },
    });
    expect(statefulSetVerdict(set(2, 2), []).state).toBe("ready");
    expect(statefulSetVerdict(set(2, 1), []).state).toBe("waiting");
    expect(statefulSetVerdict(set(2, 2, 0), []).state).toBe("waiting");
    expect(statefulSetVerdict(set(1, 2), [pod("a", "1", waiting("ErrImageNeverPull"))]).state).toBe("failed");
  });

  test("a DaemonSet is ready when it is available on every node", () => {
    const set = (numberAvailable: number) => ({
      status: { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable },
    });
    expect(daemonSetVerdict(set(2), []).state).toBe("ready");
    expect(daemonSetVerdict(set(1), [pod("a", "1", crashed(1, 1))])).toMatchObject({
      state: "waiting",
      trouble: true,
    });
  });

  test("a Job is ready when it is complete, and fails with its reason", () => {
    const job = (type: string) => ({
      status: { conditions: [{ type, status: "True", reason: "R", message: "why" }] },
    });
    expect(jobVerdict(job("Complete"), []).state).toBe("ready");
    expect(jobVerdict(job("Failed"), [])).toEqual({ state: "failed", reasons: ["R: why"] });
    expect(jobVerdict({}, []).state).toBe("waiting");
  });

  test("a Pod is ready when it is ready or has succeeded", () => {
    expect(podVerdict(pod("a", "1")).state).toBe("ready");
    expect(podVerdict({ status: { phase: "Succeeded" } }).state).toBe("ready");
    expect(podVerdict({ status: { phase: "Failed" } }).state).toBe("failed");
  });

  test("a definition is ready when its kind is served", () => {
    const definition = (type: string, status: string) => ({ status: { conditions: [{ type, status }] } });
    expect(definitionVerdict(definition("Established", "True")).state).toBe("ready");
    expect(definitionVerdict(definition("Established", "False")).state).toBe("waiting");
    expect(definitionVerdict(definition("NamesAccepted", "False")).state).toBe("failed");
  });
});

describe("the annotation pulumi.com/waitFor", () => {
  const object = {
    status: {
      phase: "Ready",
      list: [{ name: "a", on: true }],
      conditions: [{ type: "Synced", status: "True" }],
    },
  };

  test.each([
    ["condition=Synced", true],
    ["condition=Synced=False", false],
    ["condition=Other", false],
    ["jsonpath={.status.phase}", true],
    ["jsonpath={.status.phase}=Ready", true],
    ["jsonpath='{.status.phase}'=Failed", false],
    ["jsonpath={.status.list[0].on}=true", true],
    ['jsonpath={.status.list[?(@.name=="a")].on}=true', true],
    ['jsonpath={.status.conditions[?(@.type=="Synced")].status}=True', true],
    ["jsonpath={.status.missing}", false],
    ['["condition=Synced", "jsonpath={.status.phase}=Ready"]', true],
    ['["condition=Synced", "condition=Other"]', false],
  ])("%s: %s", (expression, holds) => {
    expect(waitForVerdict(expression, object).state).toBe(holds ? "ready" : "waiting");
  });

  test("anything else is refused", () => {
    expect(() => waitForVerdict("phase=Ready", object)).toThrow(/jsonpath=/);
  });
});
