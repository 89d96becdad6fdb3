import { expect, test } from "vitest";
import { testBench } from "../../../test/support/rollout-bench.ts";
import { settledOn } from "../../core/routing.ts";
import type { RolloutRecord } from "../record/record.ts";
import { proveBefore, proveReturned } from "./prove-adoption.ts";

/** A record of a model whose cluster says nothing of it. */
const record = {
  model: "fraud",
  slots: { blue: 1, green: null },
  releases: [],
  settings: {
    server: {},
    ingress: { host: "a.io" },
    router: "nginx",
    selectors: {},
    replicas: { blue: 1, green: 0 },
  },
} as unknown as RolloutRecord;

test("an undo that is done is not denied for what nobody can see", async () => {
  const bench = testBench();
  const context = bench.context();
  bench.cluster.intercept = () => {
    throw new Error("connect ECONNREFUSED");
  };
  expect(await proveReturned(context, record, settledOn("blue"))).toEqual({
    state: "skipped",
    reason: "connect ECONNREFUSED",
  });
});

test("nothing is begun where the Ingress leads elsewhere by now", async () => {
  await expect(proveBefore(testBench().context(), record)).rejects.toThrow(/Nothing was taken over/);
});
