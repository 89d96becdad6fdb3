import { describe, expect, test } from "vitest";
import { testConfig, testServer } from "../../../test/support/rollout-bench.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { UserError } from "../../core/errors.ts";
import type { SlotSpec } from "../../core/model.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";
import { modelSpec, planUp, type UpPlan } from "./desired.ts";

function observedSlot(slot: Slot, replicas: number, changes: Partial<SlotObservation> = {}): SlotObservation {
  return {
    slot,
    service: { name: `fraud-${slot}`, selector: { app: "fraud", version: slot } },
    deployment: {
      name: `fraud-${slot}`,
      image: `fraud:${slot}`,
      release: 1,
      generation: 1,
      observedGeneration: 1,
      desiredReplicas: replicas,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      replicaFailure: undefined,
    },
    endpoints: { ready: [], notReady: 0, terminating: 0 },
    pods: [],
    ...changes,
  };
}

const nothing = { service: undefined, deployment: undefined };
const empty: Observation = {
  namespaceExists: true,
  routing: undefined,
  ingress: undefined,
  slots: { blue: observedSlot("blue", 0, nothing), green: observedSlot("green", 0, nothing) },
};

function running(routing: Routing, replicas = 2): Observation {
  return {
    namespaceExists: true,
    routing,
    ingress: { name: "fraud", className: "nginx", tlsHosts: [], addresses: [] },
    slots: { blue: observedSlot("blue", replicas), green: observedSlot("green", replicas) },
  };
}

const slotsConfig = (blue: SlotSpec, green: SlotSpec, changes: Partial<ResolvedConfig> = {}) =>
  testConfig({ runs: { form: "slots", slots: { blue, green } }, ...changes });

const templateConfig = (image: string, idleReplicas = 0, replicas = 3) =>
  testConfig({ runs: { form: "template", release: { image, replicas }, idleReplicas } });

function plan(
  config: ResolvedConfig,
  observation: Observation,
  record?: RolloutRecord,
  flags: { allowLiveChange?: boolean; allowLiveStop?: boolean } = {},
): UpPlan {
  return planUp({
    config,
    record,
    observation,
    now: "2026-11-23T08:00:00Z",
    by: "ada@laptop",
    allowLiveChange: flags.allowLiveChange ?? false,
    allowLiveStop: flags.allowLiveStop ?? false,
  });
}

function refusal(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    return error as UserError;
  }
  throw new Error("it was not refused");
}

describe("the template form", () => {
  const first = plan(templateConfig("fraud:1"), empty);

  test("puts release 1 into the initial slot; the other is the same environment, idle", () => {
    expect(first.record).toMatchObject({
      releases: [{ number: 1, slot: "blue", spec: { image: "fraud:1" }, by: "ada@laptop" }],
      slots: { blue: 1, green: null },
      applying: true,
    });
    expect(first.routing).toEqual(settledOn("blue"));
    expect(modelSpec(first.record, "ml").slots).toEqual({
      blue: { image: "fraud:1", replicas: 3, release: 1 },
      green: { image: "fraud:1", replicas: 0, release: 1 },
    });
  });

  test("can begin in green", () => {
    const { record, routing } = plan({ ...templateConfig("fraud:1"), initialLive: "green" }, empty);
    expect(record.slots).toEqual({ blue: null, green: 1 });
    expect(routing.main).toBe("green");
  });

  test("a deleted Ingress comes back as the last switch left it", () => {
    const history = [
      { at: "2026-11-23T08:00:00Z", from: "blue", to: "green", by: "ada@laptop", durationMs: 1 },
    ] as const;
    const { routing } = plan(templateConfig("fraud:1"), empty, { ...first.record, history });
    expect(routing).toEqual(settledOn("green"));
  });

  test("never changes what the live slot runs; it says that a release would", () => {
    const second = plan(templateConfig("fraud:2"), running(settledOn("blue")), first.record);
    expect(modelSpec(second.record, "ml").slots.blue.image).toBe("fraud:1");
    expect(second.notes).toMatchObject([{ code: "template-differs" }]);
    expect(second.notes[0]?.message).toContain(
      "image: fraud:1 -> fraud:2. A release would put it into green",
    );
  });

  test("follows the number of replicas", () => {
    const second = plan(templateConfig("fraud:1", 1, 5), running(settledOn("blue")), first.record);
    expect(second.record.settings.replicas).toEqual({ blue: 5, green: 1 });
    expect(second.notes).toEqual([]);
  });

  test("a slot that a release was put into keeps its size", () => {
    const switched: RolloutRecord = { ...first.record, slots: { blue: 1, green: 1 } };
    const second = plan(templateConfig("fraud:1", 0), running(settledOn("green")), switched);
    expect(second.record.settings.replicas).toEqual({ blue: 3, green: 3 });
  });

  test("changes the live slot where the user says so, as a release of its own", () => {
    const second = plan(templateConfig("fraud:2"), running(settledOn("blue")), first.record, {
      allowLiveChange: true,
    });
    expect(second.record.slots).toEqual({ blue: 2, green: null });
    expect(second.notes).toEqual([]);
  });

  describe("as long as nobody was ever served", () => {
    const half: Observation = {
      ...empty,
      slots: { blue: observedSlot("blue", 3), green: observedSlot("green", 0) },
    };

    test("a first release follows the template, as another one where the first was applied", () => {
      const { record, notes } = plan(templateConfig("fraud:2"), half, first.record);
      expect(record).toMatchObject({
        releases: [{ number: 2, slot: "blue", spec: { image: "fraud:2" } }],
        slots: { blue: 2, green: null },
      });
      expect(notes).toEqual([]);
    });

    test("one that nothing was applied of keeps its number", () => {
      const { record } = plan(templateConfig("fraud:2"), empty, first.record);
      expect(record).toMatchObject({ releases: [{ number: 1, spec: { image: "fraud:2" } }] });
    });

    test("one that is as the template says goes on as it is", () => {
      const { record } = plan(templateConfig("fraud:1"), half, first.record);
      expect(record.releases).toEqual(first.record.releases);
    });

    test("the slot to begin in may still be another one, and nothing is left of the first", () => {
      const { record } = plan({ ...templateConfig("fraud:2"), initialLive: "green" }, half, first.record);
      expect(record).toMatchObject({
        slots: { blue: null, green: 2 },
        settings: { replicas: { blue: 0, green: 3 } },
      });
    });

    test("its server's settings follow, too", () => {
      const config = { ...templateConfig("fraud:1"), server: { ...testServer(), httpPort: 9000 } };
      expect(plan(config, half, first.record).record.settings.server.httpPort).toBe(9000);
    });
  });

  test.each<[string, Partial<RolloutRecord>]>([
    ["a command finished", { applying: false }],
    [
      "a switch went to it",
      {
        history: [{ at: "2026-11-24T08:00:00Z", from: "green", to: "blue", by: "ada@laptop", durationMs: 1 }],
      },
    ],
    ["it is noted", { releases: first.record.releases.map((one) => ({ ...one, liveSince: one.createdAt })) }],
  ])("a release that was live stays what it is, also without an Ingress: %s", (_how, changes) => {
    const { record, notes } = plan(templateConfig("fraud:2"), empty, { ...first.record, ...changes });
    expect(modelSpec(record, "ml").slots.blue.image).toBe("fraud:1");
    expect(notes).toMatchObject([{ code: "template-differs" }]);
  });

  describe("a change of the live slot that was never finished", () => {
    const live = {
      ...first.record,
      releases: first.record.releases.map((one) => ({ ...one, liveSince: one.createdAt })),
    };
    const seen = running(settledOn("blue"));
    const { record: changed } = plan(templateConfig("fraud:bad"), seen, live, { allowLiveChange: true });

    test("is undone by the former template", () => {
      expect(changed.slots.blue).toBe(2);
      const { record } = plan(templateConfig("fraud:1"), seen, changed);
      expect(record).toMatchObject({ slots: { blue: 1 }, releases: [{ number: 1 }] });
    });

    test("is finished by the same template", () => {
      expect(plan(templateConfig("fraud:bad"), seen, changed).record.slots.blue).toBe(2);
    });

    test("becomes another one where the user says so once more", () => {
      expect(refusal(() => plan(templateConfig("fraud:3"), seen, changed)).code).toBe("live-change-refused");
      const { record } = plan(templateConfig("fraud:3"), seen, changed, { allowLiveChange: true });
      expect(modelSpec(record, "ml").slots.blue.image).toBe("fraud:3");
    });
  });

  test("keeps the live slot's server settings", () => {
    const config = { ...templateConfig("fraud:1"), server: { ...testServer(), preStopSleepSeconds: 20 } };
    const second = plan(config, running(settledOn("blue")), first.record);
    expect(second.record.settings.server.preStopSleepSeconds).toBe(10);
    expect(second.notes).toMatchObject([{ code: "server-differs" }]);
  });

  test("an identity is no part of the pods and is taken over", () => {
    const server = { ...testServer(), identity: { path: "/v", from: { kind: "body" as const } } };
    const second = plan({ ...templateConfig("fraud:1"), server }, running(settledOn("blue")), first.record);
    expect(second.record.settings.server.identity?.path).toBe("/v");
    expect(second.notes).toEqual([]);
  });

  test("neither are metrics and the evidence of draining", () => {
    const metrics = { port: 8080, path: "/metrics" };
    const draining = { gauges: ["requests_in_progress"] };
    const server = { ...testServer(), metrics, draining };
    const second = plan({ ...templateConfig("fraud:1"), server }, running(settledOn("blue")), first.record);
    expect(second.record.settings.server).toMatchObject({ metrics, draining });
    expect(second.notes).toEqual([]);
  });

  test("without a record, what runs decides: another image is a change of the live slot", () => {
    const error = refusal(() => plan(templateConfig("fraud:9"), running(settledOn("green"))));
    expect(error.code).toBe("live-change-refused");
    expect(error.message).toContain("image: fraud:green -> fraud:9");
    const same = plan(templateConfig("fraud:green"), running(settledOn("green")));
    expect(same.record.slots).toEqual({ blue: null, green: 1 });
  });
});

describe("the slots form", () => {
  const config = slotsConfig({ image: "fraud:1", replicas: 2 }, { image: "fraud:2", replicas: 2 });
  const first = plan(config, empty);
  /** That `up` ended. */
  const served = { ...first.record, applying: false };

  test("gives each slot a release", () => {
    expect(first.record.slots).toEqual({ blue: 1, green: 2 });
    expect(first.record.releases.map(({ slot }) => slot)).toEqual(["blue", "green"]);
  });

  test("changes nothing when nothing changed", () => {
    const again = plan(config, running(settledOn("blue")), first.record);
    expect(again.record).toEqual(first.record);
  });

  test("applies a change of the idle slot as a new release", () => {
    const changed = slotsConfig({ image: "fraud:1", replicas: 2 }, { image: "fraud:3", replicas: 2 });
    const next = plan(changed, running(settledOn("blue")), first.record);
    expect(next.record.slots).toEqual({ blue: 1, green: 3 });
    expect(modelSpec(next.record, "ml").slots.green).toMatchObject({ image: "fraud:3", release: 3 });
  });

  test("refuses a change of the live slot, naming slot and differences", () => {
    const changed = slotsConfig(
      { image: "fraud:9", replicas: 2, env: { LEVEL: "debug" } },
      { image: "fraud:2", replicas: 2 },
    );
    const error = refusal(() => plan(changed, running(settledOn("blue")), first.record));
    expect(error).toMatchObject({ code: "live-change-refused", exitCode: 2, details: { slot: "blue" } });
    expect(error.message).toContain("image: fraud:1 -> fraud:9");
    expect(error.message).toContain("env.LEVEL: (none) -> [hidden]");
    const allowed = plan(changed, running(settledOn("blue")), first.record, { allowLiveChange: true });
    expect(allowed.record.slots.blue).toBe(3);
  });

  test("in the middle of a switch both slots with traffic are live, and the routing stays", () => {
    const middle: Routing = { main: "blue", candidate: "green", weight: 30 };
    const changed = slotsConfig({ image: "fraud:1", replicas: 2 }, { image: "fraud:3", replicas: 2 });
    expect(refusal(() => plan(changed, running(middle), first.record))).toMatchObject({
      details: { slot: "green" },
    });
    expect(plan(config, running(middle), first.record).routing).toEqual(middle);
  });

  test("refuses to scale the live slot to 0 unless told so", () => {
    const stopped = slotsConfig({ image: "fraud:1", replicas: 0 }, { image: "fraud:2", replicas: 2 });
    const error = refusal(() => plan(stopped, running(settledOn("blue")), first.record));
    expect(error).toMatchObject({ code: "live-stop-refused", exitCode: 2 });
    expect(error.hint).toContain("--allow-live-stop");
    const flags = { allowLiveStop: true };
    expect(plan(stopped, running(settledOn("blue")), first.record, flags).record.settings.replicas.blue).toBe(
      0,
    );
  });

  test("refuses to scale the live slot down unless told so, and the idle slot freely", () => {
    const smaller = slotsConfig({ image: "fraud:1", replicas: 1 }, { image: "fraud:2", replicas: 2 });
    expect(refusal(() => plan(smaller, running(settledOn("blue")), first.record)).message).toContain(
      "1 of now 2 replicas",
    );
    expect(plan(smaller, running(settledOn("green")), first.record).record.settings.replicas.blue).toBe(1);
  });

  test("refuses a server change that would roll the live slot's pods", () => {
    const changed = { ...config, server: { ...testServer(), httpPort: 9000 } };
    const error = refusal(() => plan(changed, running(settledOn("blue")), first.record));
    expect(error.message).toContain("server.httpPort: 8080 -> 9000");
  });

  test("never changes a selector", () => {
    const changed = slotsConfig(
      { image: "fraud:1", replicas: 2 },
      { image: "fraud:2", replicas: 2, selector: { app: "other" } },
    );
    expect(refusal(() => plan(changed, running(settledOn("blue")), first.record))).toMatchObject({
      code: "selector-changed",
      exitCode: 2,
      details: { slot: "green" },
    });
  });

  test("reconciles host, class, path and annotations", () => {
    const ingress = { host: "new.test", className: "traefik", path: "/version", annotations: { a: "b" } };
    const changed = { ...config, ingress };
    const next = plan(changed, running(settledOn("green")), first.record, { allowLiveChange: true });
    expect(modelSpec(next.record, "ml").ingress).toEqual(ingress);
    expect(next.routing).toEqual(settledOn("green"));
  });

  test("does not take an Ingress away from the controller that serves clients", () => {
    const changed = { ...config, ingress: { ...config.ingress, className: "edge" } };
    expect(refusal(() => plan(changed, running(settledOn("blue")), served))).toMatchObject({
      code: "router-changed-live",
      exitCode: 2,
      message: expect.stringContaining("by the class nginx, and the configuration asks for the class edge"),
      hint: expect.stringContaining("modelswitch migrate"),
    });
  });

  test("lets a first `up` that never ended ask for another class: nobody comes in by what it made", () => {
    const changed = { ...config, ingress: { ...config.ingress, className: "edge" } };
    const half = { ...first.record, applying: true };
    const waiting = running(settledOn("blue"));
    expect(plan(changed, waiting, half).record.settings.ingress.className).toBe("edge");
    expect(plan({ ...config, router: "traefik" }, waiting, half).record.settings.router).toBe("traefik");

    const addressed = { name: "fraud", className: "nginx", tlsHosts: [], addresses: ["192.0.2.1"] };
    const unready = { ...waiting, ingress: addressed };
    expect(plan(changed, unready, half).record.settings.ingress.className).toBe("edge");
    const endpoints = { ready: [{ address: "192.0.2.2", pod: undefined }], notReady: 0, terminating: 0 };
    const blue = observedSlot("blue", 2, { endpoints });
    const reached = { ...unready, slots: { ...unready.slots, blue } };
    const refused = [
      [reached, half],
      // The first one ended, and a later one did not.
      [waiting, { ...half, releases: half.releases.map((one) => ({ ...one, liveSince: one.createdAt })) }],
      [waiting, { ...half, history: [{ at: "", from: "green", to: "blue", by: "", durationMs: 1 }] }],
    ] as const;
    for (const [observation, record] of refused)
      expect(refusal(() => plan(changed, observation, record)).code).toBe("router-changed-live");
  });

  test.each(["traefik", "contour", "haproxy"] as const)("nor an object of the router %s", (router) => {
    const { settings } = first.record;
    const served = (className: string) => ({ ...config.ingress, className });
    const before = {
      ...first.record,
      applying: false,
      settings: { ...settings, router, ingress: served("edge") },
    };
    const asked = (className: string) =>
      plan({ ...config, router, ingress: served(className) }, running(settledOn("blue")), before);
    expect(refusal(() => asked("inner"))).toMatchObject({
      code: "router-changed-live",
      message: expect.stringContaining("by the class edge, and the configuration asks for the class inner"),
    });
    expect(asked("edge").record.settings.ingress.className).toBe("edge");
  });

  test("nor a route from the listener that its clients use", () => {
    const { settings } = first.record;
    const at = (sectionName?: string) => ({
      ...config.ingress,
      gateway: { name: "edge", ...(sectionName === undefined ? {} : { sectionName }) },
    });
    const router = "gateway-api";
    const before = {
      ...first.record,
      applying: false,
      settings: { ...settings, router, ingress: at("web") },
    } as const;
    const error = refusal(() =>
      plan({ ...config, router, ingress: at("internal") }, running(settledOn("blue")), before),
    );
    expect(error).toMatchObject({
      code: "router-changed-live",
      message: expect.stringContaining("by the Gateway edge, listener web, and"),
    });
  });

  test("refuses an Ingress through which no identity is reached, unless it is said how", () => {
    const ingress = { host: "new.test", path: "/fraud" };
    expect(
      refusal(() => plan({ ...config, ingress }, running(settledOn("blue")), first.record)),
    ).toMatchObject({
      code: "identity-path-outside",
      exitCode: 2,
    });
    const identity = { path: "/version", ingressPath: "/fraud/version", from: { kind: "body" } } as const;
    expect(plan({ ...config, ingress, identity }, empty).record.settings.identity).toEqual(identity);
    const annotations = { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" };
    const pathType = "ImplementationSpecific" as const;
    const rewritten = { host: "new.test", path: "/fraud(/|$)(.*)", pathType, annotations };
    expect(plan({ ...config, ingress: rewritten }, empty).record.settings.ingress).toEqual(rewritten);
  });

  test("refuses a new Ingress whose pattern the controller would take for plain text, and keeps one that is there", () => {
    const annotations = { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" };
    const ingress = { host: "new.test", path: "/fraud(/|$)(.*)", annotations };
    expect(refusal(() => plan({ ...config, ingress }, empty))).toMatchObject({
      code: "path-not-plain",
      exitCode: 2,
      message: expect.stringContaining("its pathType is Prefix"),
    });
    expect(refusal(() => plan({ ...config, ingress }, running(settledOn("blue")), first.record)).code).toBe(
      "path-not-plain",
    );
    const before = { ...first.record, settings: { ...first.record.settings, ingress } };
    expect(plan({ ...config, ingress }, running(settledOn("blue")), before).record.settings.ingress).toEqual(
      ingress,
    );
  });

  test("does not change to a router of other objects while clients are served", () => {
    const error = refusal(() => plan({ ...config, router: "traefik" }, running(settledOn("blue")), served));
    expect(error.code).toBe("router-changed-live");
    expect(error.message).toContain("its Ingress would be deleted, and its IngressRoute made");
  });

  test.each(["haproxy", "haproxy-tech"] as const)(
    "does not change to the router %s while clients are served: it reads an Ingress of another one otherwise",
    (router) => {
      const error = refusal(() => plan({ ...config, router }, running(settledOn("blue")), served));
      expect(error.code).toBe("router-changed-live");
      expect(error.message).toContain("its Ingress would be rewritten");
    },
  );

  test("does not change the router in the middle of a switch", () => {
    const middle: Routing = { main: "blue", candidate: "green", weight: 100 };
    const error = refusal(() => plan({ ...config, router: "plain" }, running(middle), first.record));
    expect(error.code).toBe("router-changed-mid-switch");
    expect(
      plan({ ...config, router: "plain" }, running(settledOn("blue")), first.record).record.settings.router,
    ).toBe("plain");
  });

  test("slots whose pods somebody else runs have no Deployments to protect", () => {
    const own = slotsConfig(
      { selector: { app: "m", version: "b" } },
      { selector: { app: "m", version: "g" } },
    );
    const made = plan(own, empty);
    expect(modelSpec(made.record, "ml").slots.blue).toEqual({
      replicas: 1,
      release: 1,
      selector: { app: "m", version: "b" },
    });
  });
});
