import { expect, test } from "vitest";
import { collectionPath, isObject, type ObjectKind, objectPath, pulumiType } from "./object-kind.ts";

const service: ObjectKind = { group: "", version: "v1", kind: "Service", plural: "services" };
const route: ObjectKind = { group: "example.io", version: "v2", kind: "Route", plural: "routes" };

test("a kind says where its objects are, and what Pulumi calls it", () => {
  expect(objectPath("ml", { kind: service, name: "fraud" })).toBe("/api/v1/namespaces/ml/services/fraud");
  expect(objectPath("ml", { kind: route, name: "fraud" })).toBe(
    "/apis/example.io/v2/namespaces/ml/routes/fraud",
  );
  expect(collectionPath(route)).toBe("/apis/example.io/v2/routes");
  expect(pulumiType(service)).toBe("kubernetes:core/v1:Service");
  expect(pulumiType(route)).toBe("kubernetes:example.io/v2:Route");
});

test("objects of one name and different kinds are different", () => {
  const ref = { kind: route, name: "fraud" };
  expect(isObject({ kind: "Route", metadata: { name: "fraud" } }, ref)).toBe(true);
  expect(isObject({ metadata: { name: "fraud" } }, ref)).toBe(true);
  expect(isObject({ kind: "Service", metadata: { name: "fraud" } }, ref)).toBe(false);
  expect(isObject({ kind: "Route", metadata: { name: "spam" } }, ref)).toBe(false);
});
