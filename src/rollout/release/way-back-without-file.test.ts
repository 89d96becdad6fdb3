import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { registerRouter, routerNamed } from "../../component/routers/factory.ts";
import { defineRouter } from "../../component/routers/own.ts";
import type { ObservedObject } from "../../component/routers/router.ts";
import { routerOfTable } from "../../component/routers/tabulated.ts";
import { objectPath } from "../../core/object-kind.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";

const name = defineRouter({
  name: "mesh",
  preview: true,
  route: {
    group: "mesh.example.com",
    version: "v1",
    kind: "Split",
    plural: "splits",
    spec: ({ services, shares, previewHeader }) => ({
      previewHeader,
      backends: [
        { name: services.blue, weight: shares.blue },
        { name: services.green, weight: shares.green },
      ],
    }),
    weights: (spec) => (spec as { backends: { name: string; weight: number }[] }).backends,
    claims: () => [{ host: "fraud.test", path: "/" }],
  },
});

test("a release behind a router of one's own is rolled back where nobody has its file", async () => {
  const bench = testBench();
  const config = { ...templateConfig(), router: name, endpoints: ["http://192.0.2.2"] };
  const context = () => bench.context(config);
  const router = () => routerNamed(name);
  bench.ask = ({ headers }) => {
    const objects = router()
      .refs("fraud")
      .flatMap((ref) => bench.cluster.get(objectPath(testNamespace, ref)) ?? []);
    const routing = router().read("fraud", objects as readonly ObservedObject[]);
    if (routing === undefined) return { status: 404, body: "" };
    return { status: 200, body: `version of ${headers["X-Modelswitch-Preview"] ?? routing.main}` };
  };
  const others = bench.cluster.intercept;
  bench.cluster.intercept = (request) =>
    request.path === "/apis/mesh.example.com/v1"
      ? { status: 200, headers: {}, body: JSON.stringify({ resources: [{ name: "splits" }] }) }
      : others?.(request);
  await up(context(), noFlags);
  await release(context(), { template: { image: "fraud:2", replicas: 2 } });
  expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });

  // Another machine knows what stands beside the record, and nothing else.
  const path = `/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`;
  const { data } = (bench.cluster.get(path) ?? {}) as { data?: { routers?: string } };
  const tables = JSON.parse(gunzipSync(Buffer.from(data?.routers ?? "", "base64")).toString());
  registerRouter(routerOfTable(name, tables[name]));
  await rollback(context());
  expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
});
