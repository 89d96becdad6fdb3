import { expect, test } from "vitest";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import { serviceKind } from "../../component/routers/service-object.ts";
import { settledOn } from "../../core/routing.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { modelSpec, planUp } from "../plan/desired.ts";
import { driftOf } from "./drift.ts";

const slot = (name: "blue" | "green"): SlotObservation => ({
  slot: name,
  service: { name: `fraud-${name}`, selector: { app: "fraud", version: name } },
  deployment: undefined,
  endpoints: { ready: [], notReady: 0, terminating: 0 },
  pods: [],
});
const seen: Observation = {
  namespaceExists: true,
  routing: settledOn("blue"),
  ingress: { name: "fraud", className: "haproxy", tlsHosts: [], addresses: [] },
  slots: { blue: slot("blue"), green: slot("green") },
};
const config = testConfig({
  router: "haproxy",
  ingress: { host: "ml.test", className: "haproxy" },
  runs: { form: "slots", slots: { blue: {}, green: {} } },
});
const plan = planUp({
  config,
  record: undefined,
  observation: { ...seen, routing: undefined, ingress: undefined },
  versions: {},
  now: "2026-11-01T12:00:00Z",
  by: "ada",
  allowLiveChange: false,
  allowLiveStop: false,
});
const desired = { spec: modelSpec(plan.record, "ml"), routing: plan.routing };
const stack = { hasState: async () => true };

test("a routing object that somebody deleted has drifted, though the main one is there", async () => {
  expect(await driftOf(plan.record, seen, desired, stack)).toEqual([]);
  const missing = [{ kind: serviceKind, name: "fraud-union" }];
  expect(await driftOf(plan.record, { ...seen, missing }, desired, stack)).toEqual([
    { kind: "Service", name: "fraud-union" },
  ]);
});
