import { expect, test } from "vitest";
import type { Observed } from "./engine-events.ts";
import { explainFailure, operationTitles } from "./failures.ts";
import { withPodReasons } from "./pod-reasons.ts";

const urnOf = (kind: string, name: string) => `urn:pulumi:dev::p::kubernetes:apps/v1:${kind}::${name}`;
const context = {
  project: "p",
  stack: "dev",
  backendUrl: "file:///x",
  operation: operationTitles.up,
  aborted: false,
};
const output = { stdout: "", stderr: "error: update failed", code: 1 };

function waited(kind: string, unready = true): Observed {
  const urn = urnOf(kind, "big");
  return {
    ...{ changes: [], same: 0, outputs: {}, behind: [], ended: true },
    diagnostics: [
      {
        severity: "error",
        message: "it did not become ready in time",
        urn,
        ...(unready ? { unready: true } : {}),
      },
    ],
    failed: [{ urn, kind, namespace: "ml", name: "big", uid: "7", secretPaths: [] }],
  };
}

const lines = ["0 of 1 replicas ready", "pod big-x: 0/1 nodes are available: 1 Insufficient memory."];
const pods = async () => ({ lines, hasFailed: false });

test.each(["Deployment", "StatefulSet"])(
  "a %s that was waited for in vain says why in terms of its pods",
  async (kind) => {
    const observed = await withPodReasons(waited(kind), pods);
    const error = explainFailure(output, observed, context);
    expect(error).toMatchObject({
      code: "deployment-failed",
      message: `The update of stack dev failed: ${kind} big: it did not become ready in time: 0 of 1 replicas ready
  pod big-x: 0/1 nodes are available: 1 Insufficient memory.`,
      details: { resources: [{ kind, name: "big", unready: true }] },
    });
  },
);

test("what failed by itself did not run out of time", async () => {
  const look = async () => ({ lines: ["BackoffLimitExceeded"], hasFailed: true });
  const { diagnostics } = await withPodReasons(waited("Job"), look);
  expect(diagnostics[0]?.message).toBe("it failed: BackoffLimitExceeded");
});

test.each([
  ["a kind that nobody can look at", waited("Certificate"), async () => undefined],
  ["a Deployment that failed otherwise", waited("Deployment", false), pods],
  [
    "pods that cannot be looked at",
    waited("Deployment"),
    () => Promise.reject(new Error("the API server is away")),
  ],
])("of %s the provider's words stay", async (_, observed, look) => {
  expect(await withPodReasons(observed, look)).toEqual(observed);
});
