import { beforeEach, describe, expect, test } from "vitest";
import { noFlags } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testConfig } from "../../../test/support/rollout-bench.ts";
import { describeLoss } from "../commands/destroy.ts";
import { modelStatus } from "../commands/status.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { modelSpec } from "../plan/desired.ts";

const of = (environment: string | undefined) => bench.context(testConfig({ environment }));
let bench: TestBench;

beforeEach(async () => {
  bench = testBench();
  await up(of("production"), noFlags);
});

describe("a model that belongs to an environment", () => {
  test("is remembered as its, and taken up by it again", async () => {
    expect(await of("production").store.read()).toMatchObject({ environment: "production" });
    await expect(up(of("production"), noFlags)).resolves.toMatchObject({ live: "blue" });
  });

  test.each([["staging"], [undefined]])("is left alone by every other one: %s", async (other) => {
    bench.stack.operations.length = 0;
    const refused = {
      code: "environment-other",
      exitCode: 2,
      message: expect.stringContaining("belongs to the environment production, but"),
    };
    await expect(up(of(other), noFlags)).rejects.toMatchObject(refused);
    await expect(switchTraffic(of(other), "green")).rejects.toMatchObject(refused);
    await expect(describeLoss(of(other))).rejects.toMatchObject(refused);
    expect(bench.stack.operations).toEqual([]);
    // Looking does no harm.
    await expect(modelStatus(of(other))).resolves.toMatchObject({ live: "blue" });
  });

  test("becomes another one's where the user says so", async () => {
    await up(of("live"), { ...noFlags, takeOver: true });
    expect(await of("live").store.read()).toMatchObject({ environment: "live" });
    await expect(up(of("production"), noFlags)).rejects.toMatchObject({ code: "environment-other" });
  });
});

test("a model from before there were environments becomes the first one's that applies it", async () => {
  const before = of(undefined);
  await before.store.update((record) => record && { ...record, environment: null });
  await up(of("production"), noFlags);
  expect(await of("production").store.read()).toMatchObject({ environment: "production" });
});

test("pods of a release that 0.1.0 made keep its defaults through `up`, until there is a new release", async () => {
  const context = of("production");
  await context.store.update(
    (record) =>
      record && {
        ...record,
        releases: record.releases.map((release) => ({ ...release, podDefaults: "0.1.0" as const })),
      },
  );
  await up(context, noFlags);
  const kept = await context.store.read();
  expect(kept && modelSpec(kept, "ml").slots).toMatchObject({
    blue: { podDefaults: "0.1.0" },
    green: { podDefaults: "0.1.0" },
  });
  const { runs } = testConfig();
  if (runs.form !== "slots") throw new Error("The test's model has two slots.");
  const slots = { ...runs.slots, green: { ...runs.slots.green, image: "fraud:3" } };
  const next = bench.context(testConfig({ environment: "production", runs: { form: "slots", slots } }));
  await up(next, noFlags);
  const record = await next.store.read();
  const spec = record && modelSpec(record, "ml");
  expect(spec?.slots.blue.podDefaults).toBe("0.1.0");
  expect(spec?.slots.green).toMatchObject({ image: "fraud:3" });
  expect(spec?.slots.green.podDefaults).toBeUndefined();
});
