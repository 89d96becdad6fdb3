import { describe, expect, it } from "vitest";
import { describeNode, missingChecks } from "./readiness.ts";

describe("missingChecks", () => {
  it("names the checks that the API server still waits for", () => {
    const body =
      "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/rbac/bootstrap-roles failed: x\n";
    expect(missingChecks(body)).toBe("it is starting: etcd, poststarthook/rbac/bootstrap-roles");
    expect(missingChecks("")).toBe("it is starting");
  });
});

describe("describeNode", () => {
  const ready = { type: "Ready", status: "True" };

  it("waits for Ready, and for the taint of a new node to go", () => {
    expect(describeNode({})).toBe("it has not reported yet");
    expect(
      describeNode({ status: { conditions: [{ type: "Ready", status: "False", message: "no network" }] } }),
    ).toBe("no network");
    expect(
      describeNode({
        status: { conditions: [ready] },
        spec: { taints: [{ key: "node.kubernetes.io/not-ready" }] },
      }),
    ).toBe("it still has the taint node.kubernetes.io/not-ready");
    expect(describeNode({ status: { conditions: [ready] }, spec: { taints: [{ key: "mine" }] } })).toBe(true);
  });
});
