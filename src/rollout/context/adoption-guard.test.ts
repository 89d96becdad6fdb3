import { describe, expect, test } from "vitest";
import { changed } from "../../../test/support/found.ts";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { foundObject } from "../adoption/adopted-objects.ts";
import { describeFound } from "../adoption/describe.ts";
import { discover } from "../adoption/discover.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { modelSpec, planUp } from "../plan/desired.ts";
import type { Adoption } from "../record/adoption.ts";
import { parseRecord } from "../record/parse-record.ts";
import type { RolloutRecord } from "../record/record.ts";
import { pendingAdoption } from "./adoption-guard.ts";
import { marksOfFound } from "./deployed.ts";

const found = discover(
  "fraud",
  "fraud",
  changed("ingresses.0.metadata.annotations", {
    "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
    "meta.helm.sh/release-name": "prod",
  }),
);
const { release, green, blue, ingress, servicePort } = describeFound(found, "fraud");

const adoption = (state: Adoption["state"] = "adopted"): Adoption => ({
  slot: "blue",
  state,
  at: "2026-11-24T08:00:00Z",
  by: "ada@laptop",
  release: 1,
  deployment: { ...foundObject(found.deployment), selector: { app: "fraud", tier: "ml" } },
  service: foundObject(found.service),
  ingress: { ...foundObject(found.ingress), spec: found.ingress.spec ?? {} },
});

const config = (slots: { blue?: object; green?: object } = {}, more: Partial<ResolvedConfig> = {}) =>
  testConfig({
    runs: {
      form: "slots",
      slots: {
        blue: { ...release, ...blue, ...slots.blue },
        green: { ...release, replicas: 0, ...green, ...slots.green },
      },
    },
    ingress,
    servicePort,
    ...more,
  });

/** As `init --from` writes it. */
const template = () =>
  config({}, { runs: { form: "template", release, idleReplicas: 0, slots: { blue, green } } });

const slot = (name: "blue" | "green", more: Partial<SlotObservation> = {}): SlotObservation => ({
  slot: name,
  service: undefined,
  deployment: undefined,
  endpoints: { ready: [], notReady: 0, terminating: 0 },
  pods: [],
  ...more,
});

const running: SlotObservation["deployment"] = {
  name: "fraud-server",
  image: "reg.io/fraud:7",
  release: undefined,
  generation: 3,
  observedGeneration: 3,
  desiredReplicas: 2,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  replicaFailure: undefined,
};

const observation = (deployment: SlotObservation["deployment"] = running, main: "blue" | "green" = "blue") =>
  ({
    namespaceExists: true,
    routing: { main, candidate: main === "blue" ? "green" : "blue", weight: 0 },
    ingress: { name: "fraud", className: "nginx", tlsHosts: [], addresses: [] },
    slots: {
      blue: slot("blue", { deployment, service: { name: "fraud-api", selector: { app: "fraud" } } }),
      green: slot("green"),
    },
  }) satisfies Observation;

const plan = (
  about: { config?: ResolvedConfig; record?: RolloutRecord; seen?: Observation; adopting?: Adoption } = {},
) =>
  planUp({
    config: about.config ?? config(),
    record: about.record,
    observation: about.seen ?? observation(),
    now: "2026-11-24T08:00:00Z",
    by: "ada@laptop",
    allowLiveChange: false,
    allowLiveStop: false,
    ...(about.adopting === undefined ? {} : { adopting: about.adopting }),
  });

const adopted = (): RolloutRecord => ({
  ...plan({ adopting: adoption("adopting") }).record,
  adoption: adoption(),
  applying: false,
});

describe("up of what was not adopted", () => {
  test("is refused, naming what runs", () => {
    expect(() => plan()).toThrow(/Deployment fraud-server, Service fraud-api/);
  });

  test("makes what is not there, under the names given", () => {
    const nothing: Observation = {
      ...observation(),
      ingress: undefined,
      routing: undefined as never,
      slots: { blue: slot("blue"), green: slot("green") },
    };
    expect(modelSpec(plan({ seen: nothing }).record, "ml").slots.blue).toMatchObject({
      deployment: "fraud-server",
      service: "fraud-api",
    });
  });
});

describe("the record of an adoption", () => {
  test("survives being written and read", () => {
    const record = adopted();
    expect(parseRecord(JSON.stringify(record), "ml/fraud")).toEqual(JSON.parse(JSON.stringify(record)));
  });

  test("says that the pods keep their template, and what of the Ingress is no setting of it", () => {
    const spec = modelSpec(adopted(), "ml");
    expect(spec.servicePort).toBe(8000);
    expect(spec.adopted).toMatchObject({
      slot: "blue",
      phase: "keep",
      templateKept: true,
      deployment: { selector: { app: "fraud", tier: "ml" } },
      ingress: {
        labels: { team: "risk" },
        annotations: { "meta.helm.sh/release-name": "prod" },
      },
    });
  });

  test.each(["adopting", "giving-back"] as const)(
    "while it is %s, `up` refuses and status says so",
    (state) => {
      const record = { ...adopted(), adoption: adoption(state) };
      expect(() => plan({ record })).toThrow(/running or was stopped/);
      expect(pendingAdoption(record)).toContain("modelswitch adopt");
      expect(pendingAdoption(adopted())).toBeUndefined();
    },
  );

  test("names never change afterwards, given or left out", () => {
    const renamed = config({ blue: { deployment: "other" } });
    expect(() => plan({ config: renamed, record: adopted() })).toThrow(/fraud-server -> other/);
    const left = config({ blue: { service: undefined } });
    expect(() => plan({ config: left, record: adopted() })).toThrow(/fraud-api -> fraud-blue/);
  });

  test("nor does the port while there is traffic", () => {
    expect(() => plan({ config: config({}, { servicePort: 80 }), record: adopted() })).toThrow(
      "servicePort: 8000 -> 80",
    );
  });
});

describe("a template beside the names", () => {
  const adoptedSo = () => ({
    ...plan({ config: template(), adopting: adoption("adopting") }).record,
    adoption: adoption(),
    applying: false,
  });

  test("makes what runs release 1 of blue, under its names, and green an empty slot", () => {
    const { slots: runs, settings } = adoptedSo();
    expect(runs).toEqual({ blue: 1, green: null });
    expect(settings).toMatchObject({
      replicas: { blue: 2, green: 0 },
      names: { blue: { deployment: "fraud-server", service: "fraud-api" } },
      selectors: { blue: { app: "fraud" }, green: { app: "fraud-green", version: "green" } },
    });
    expect(modelSpec(adoptedSo(), "ml").adopted?.templateKept).toBe(true);
  });

  test("before it is adopted `up` refuses, afterwards it changes nothing", () => {
    expect(() => plan({ config: template() })).toThrow(/Deployment fraud-server, Service fraud-api/);
    const { releases, settings, slots: runs } = plan({ config: template(), record: adoptedSo() }).record;
    expect({ releases, settings, runs }).toEqual({
      releases: adoptedSo().releases,
      settings: adoptedSo().settings,
      runs: adoptedSo().slots,
    });
  });

  test("names that are left out are other names", () => {
    const { runs } = template();
    if (runs.form !== "template") throw new Error("it is a template");
    const { slots: _names, ...bare } = runs;
    expect(() => plan({ config: config({}, { runs: bare }), record: adoptedSo() })).toThrow(
      /fraud-server -> fraud-blue/,
    );
  });

  test("may take the place of `slots` that said what runs, as configurations of old do", () => {
    const { settings, slots: runs } = plan({ config: template(), record: adopted() }).record;
    expect(runs).toEqual(adopted().slots);
    expect(settings.replicas).toEqual({ blue: 2, green: 0 });
    expect(settings.names).toEqual(adopted().settings.names);
  });
});

describe("releases after an adoption", () => {
  test("the first `up` changes nothing", () => {
    expect(plan({ record: adopted() }).record.releases).toEqual(adopted().releases);
  });

  test("settings of the model server may change: the pods that were found don't have them", () => {
    const server = { ...config().server, preStopSleepSeconds: 1 };
    const { record } = plan({ config: config({}, { server }), record: adopted() });
    expect(record.settings.server.preStopSleepSeconds).toBe(1);
    expect(modelSpec(record, "ml").adopted?.templateKept).toBe(true);
  });

  test("another release in blue gives up the template, once blue has no traffic", () => {
    const next = config({ blue: { image: "reg.io/fraud:9" } });
    expect(() => plan({ config: next, record: adopted() })).toThrow(/changes what blue runs/);
    const { record } = plan({ config: next, record: adopted(), seen: observation(running, "green") });
    expect(modelSpec(record, "ml").adopted?.templateKept).toBe(false);
  });

  test("a Deployment that was deleted has no template to keep", () => {
    const gone = { ...observation(), slots: { ...observation().slots, blue: slot("blue") } };
    const { record } = plan({ record: adopted(), seen: gone });
    expect(modelSpec(record, "ml").adopted?.templateKept).toBe(false);
  });
});

describe("what the answers of pods that were found have", () => {
  const marked = (mark?: string): RolloutRecord => {
    const record = adopted();
    return {
      ...record,
      releases: record.releases.map((one) => ({
        ...one,
        spec: { ...one.spec, ...(mark === undefined ? {} : { mark }) },
      })),
    };
  };

  test("is what their release says, while their slot runs it", () => {
    expect(marksOfFound(marked("7"))).toEqual({ blue: "7" });
    expect(marksOfFound(marked())).toEqual({});
    const later = marked("7");
    expect(marksOfFound({ ...later, slots: { ...later.slots, blue: 2 } })).toEqual({});
    const { adoption: _none, ...ordinary } = marked("7");
    expect(marksOfFound(ordinary)).toEqual({});
  });
});
