import { expect, test } from "vitest";
import { withTheirManagers } from "./field-managers.ts";

const entry = (manager: string, more = {}) => ({ manager, operation: "Apply", ...more });

const made = (fieldManager: string, managedFields: readonly unknown[]) => ({
  urn: "urn:a",
  type: "kubernetes:apps/v1:Deployment",
  outputs: { __fieldManager: fieldManager, metadata: { name: "a", managedFields } },
});

function corrected(resource: ReturnType<typeof made>, urns = ["urn:a"]): unknown {
  const state = JSON.stringify({ version: 3, deployment: { manifest: {}, resources: [resource] } });
  const result = withTheirManagers(state, urns);
  if (result === undefined) return undefined;
  const { deployment, version } = JSON.parse(result) as {
    version: number;
    deployment: { manifest: unknown; resources: { outputs: { __fieldManager: string } }[] };
  };
  expect({ version, manifest: deployment.manifest }).toEqual({ version: 3, manifest: {} });
  return deployment.resources[0]?.outputs.__fieldManager;
}

test.each([
  [
    "the one that made the object",
    [entry("kubectl"), entry("pulumi-kubernetes-15ebe9e7")],
    "pulumi-kubernetes-15ebe9e7",
  ],
  ["not one that wrote a part of it", [entry("pulumi-kubernetes-1", { subresource: "scale" })], undefined],
  ["not one that updated", [entry("pulumi-kubernetes-1", { operation: "Update" })], undefined],
  [
    "none where the state's own is there",
    [entry("pulumi-kubernetes-1"), entry("pulumi-kubernetes-6b6837ba")],
    undefined,
  ],
])("an object that a killed run made is applied under its name: %s", (_, managedFields, expected) => {
  expect(corrected(made("pulumi-kubernetes-6b6837ba", managedFields))).toBe(expected);
});

test("others stay as they are", () => {
  expect(
    corrected(made("pulumi-kubernetes-6b6837ba", [entry("pulumi-kubernetes-1")]), ["urn:b"]),
  ).toBeUndefined();
});
