import { afterAll, beforeAll, expect, test } from "vitest";
import { ProviderStack } from "./provider-stack.ts";
import { TestNamespace } from "./test-cluster.ts";
import { declareZoo } from "./zoo.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("zoo");
});

afterAll(async () => {
  await namespace.remove();
});

test("objects of every kind show no change once they are made, however they are spelled", async () => {
  const stack = new ProviderStack(namespace, "zoo");
  await stack.with(() => declareZoo(namespace.name));
  const made = await stack.up();
  expect(made.changes).toHaveLength(34);
  const differences = (result: typeof made) =>
    result.changes.map(({ operation, kind, properties }) => [operation, kind, properties]);
  expect(differences(await stack.up())).toEqual([]);
  await stack.refresh();
  expect(differences(await stack.up())).toEqual([]);
  await stack.destroy();
});
