import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { isKnownRouter, routerNamed } from "../../component/routers/factory.ts";
import { defineRouter, type OwnRouter } from "../../component/routers/own.ts";
import { up } from "../commands/up.ts";
import { learnTables, packedTables } from "./router-tables.ts";

const route: OwnRouter["route"] = {
  group: "mesh.example.com",
  version: "v1",
  kind: "Split",
  plural: "splits",
  spec: ({ services, shares }) => ({
    backends: [
      { name: services.blue, weight: shares.blue },
      { name: services.green, weight: shares.green },
    ],
  }),
  weights: (spec) => (spec as { backends: { name: string; weight: number }[] }).backends,
};
const path = `/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`;

/** The tables of a record with its router, under another name: this process has never had a file that defines that one. */
async function tablesOf(name: string): Promise<string> {
  const bench = testBench();
  const context = bench.context(templateConfig());
  await up(context, noFlags);
  const record = await context.store.read();
  if (record === undefined) throw new Error("a record is expected");
  defineRouter({ name: "mesh", route });
  const packed = packedTables({ ...record, settings: { ...record.settings, router: "own:mesh" } }) ?? "";
  const text = gunzipSync(Buffer.from(packed, "base64")).toString();
  expect(packed.length).toBeLessThan(4_000);
  return gzipSync(text.replace('"own:mesh"', `"own:${name}"`)).toString("base64");
}

afterAll(() => {
  defineRouter({ name: "mesh", route });
});

test("a machine without the file reads and writes what the router would", async () => {
  learnTables(await tablesOf("far"));
  const router = routerNamed("own:far");
  const input = {
    model: "fraud",
    namespace: "ml",
    ingress: { host: "fraud.test" },
    previewHeader: "X-Preview",
    servicePort: 80,
    routing: { main: "blue", candidate: "green", weight: 25 },
  } as const;
  const objects = router.objects(input);
  expect(objects).toEqual(routerNamed("own:mesh").objects(input));
  expect(router.read("fraud", objects)).toEqual(input.routing);
});

test("is kept beside the record, and known as soon as that is read", async () => {
  const routers = await tablesOf("near");
  expect(isKnownRouter("own:near")).toBe(false);
  const bench = testBench();
  const { store } = bench.context(templateConfig());
  bench.cluster.put(path, {
    metadata: { name: "fraud-modelswitch" },
    data: { routers, record: "{}" },
  } as never);
  // What the record itself says is of no matter here.
  await store.read().catch(() => undefined);
  expect(isKnownRouter("own:near")).toBe(true);
});

test("what cannot be read, and a router that throws, keep nothing from being read or written", async () => {
  learnTables("not packed");
  const bench = testBench();
  const context = bench.context(templateConfig());
  await up(context, noFlags);
  const record = await context.store.read();
  if (record === undefined) throw new Error("a record is expected");
  expect(packedTables(record)).toBeUndefined();
  const spec = (): never => {
    throw new Error("no such field");
  };
  defineRouter({ name: "mesh", route: { ...route, spec } });
  expect(packedTables({ ...record, settings: { ...record.settings, router: "own:mesh" } })).toBeUndefined();
});
