import { expect, test } from "vitest";
import { noFlags } from "../../../test/support/release-bench.ts";
import { testBench, testConfig } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { previewValue, reachOf } from "./reach-slot.ts";

test.each([
  [{ main: "blue", candidate: "green", weight: 0 }, "never", "always"],
  [{ main: "green", candidate: "blue", weight: 30 }, "always", "never"],
  // Between commit and re-arm no header leads to the other slot.
  [{ main: "green", candidate: "green", weight: 100 }, undefined, "always"],
] as const)("the preview header's value at %j", (routing, blue, green) => {
  expect(previewValue(nginx, routing, "blue")).toBe(blue);
  expect(previewValue(nginx, routing, "green")).toBe(green);
});

test("what cannot be found out is left open: the address of the ingress, a preview header of a router without", async () => {
  const bench = testBench();
  const context = bench.context(testConfig({ router: "plain", endpoints: [] }));
  await up(context, noFlags);
  const { record, observation, routing } = await observeDeployed(context);
  const ingress = observation.ingress && { ...observation.ingress, addresses: [] };
  const seen = { record, observation: { ...observation, ingress }, routing };
  const reach = await reachOf(context, seen, bench.stop.signal);
  expect(reach).toMatchObject({ host: "fraud.test", addresses: [] });
  expect(reach.preview).toBeUndefined();
});
