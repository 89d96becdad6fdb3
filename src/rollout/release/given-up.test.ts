import { beforeEach, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { describeGivenUp, warmSlotGivenUp } from "./given-up.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig({ drain: 0, soak: 0, settle: 0, rollbackWindow: 3600 }));
const to = (image: string) => release(context(), { template: { image, replicas: 2 } });
const warnings = () =>
  bench.events.flatMap((event) =>
    event.type === "warning" && event.code === "warm-slot-given-up" ? [event.message] : [],
  );

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
});

test("a release within the rollback window says that it takes the place of the way back", async () => {
  await to("fraud:2");
  // The first one had nothing to replace.
  expect(warnings()).toEqual([]);
  const lost = warmSlotGivenUp(await observeDeployed(context()));
  expect(lost).toMatchObject({ slot: "blue", release: 1, until: expect.stringMatching(/^2026-11-23T09:/) });
  expect(lost && describeGivenUp(lost, "a release")).toContain("warm as the way back until 2026-11-23T09:");
  await to("fraud:3");
  expect(warnings()).toEqual([expect.stringContaining("blue still runs release 1, warm as the way back")]);
});

test("what was left by a rollback is no way back, and a rollback takes none away", async () => {
  await to("fraud:2");
  await rollback(context());
  await to("fraud:3");
  expect(warnings()).toEqual([]);
});

test("a slot that is empty is none", async () => {
  const short = bench.context(templateConfig({ drain: 0, soak: 0, settle: 0, rollbackWindow: 0 }));
  await release(short, { template: { image: "fraud:2", replicas: 2 } });
  await release(short, { template: { image: "fraud:3", replicas: 2 } });
  expect(warnings()).toEqual([]);
});
