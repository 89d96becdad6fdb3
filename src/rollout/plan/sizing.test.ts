import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import type { Observation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";
import { floorsWhile } from "./sizing.ts";

let bench: TestBench;
let record: RolloutRecord;
let observation: Observation;

/** Blue is live, its autoscaler (2 to 12) has made ten of it. */
beforeEach(async () => {
  bench = testBench();
  const context = bench.context(templateConfig({}, { image: "fraud:1", autoscaling: { min: 2, max: 12 } }));
  await up(context, noFlags);
  const deployed = await observeDeployed(context);
  record = deployed.record;
  const { blue } = deployed.observation.slots;
  if (blue.deployment === undefined) throw new Error("up made one");
  const grown = { ...blue, deployment: { ...blue.deployment, desiredReplicas: 10 } };
  observation = { ...deployed.observation, slots: { ...deployed.observation.slots, blue: grown } };
});

describe("the sizes while a slot is resized", () => {
  const green = { slot: "green", replicas: 10, isTarget: true } as const;

  test("what a release leaves keeps the size that it has, whatever its autoscaler thinks without traffic", () => {
    expect(floorsWhile(record, observation, { direction: "forward" }, green)).toEqual({
      blue: 10,
      green: 10,
    });
  });

  test("never more than its autoscaler may make, and only while the other one is filled", () => {
    const { blue } = observation.slots;
    if (blue.deployment === undefined) throw new Error("see above");
    const more = { ...blue, deployment: { ...blue.deployment, desiredReplicas: 20 } };
    const seen = { ...observation, slots: { ...observation.slots, blue: more } };
    expect(floorsWhile(record, seen, { direction: "forward" }, green).blue).toBe(12);
    const emptied = { slot: "green", replicas: 0, isTarget: false } as const;
    expect(floorsWhile(record, seen, { direction: "forward" }, emptied).blue).toBe(2);
  });

  test("taken back, the slot is sized by its autoscaler alone again", () => {
    const held = { ...record, settings: { ...record.settings, replicas: { blue: 10, green: 10 } } };
    const emptied = { slot: "green", replicas: 0, isTarget: false } as const;
    expect(floorsWhile(held, observation, { direction: "back" }, emptied)).toEqual({ blue: 2, green: 0 });
  });
});
