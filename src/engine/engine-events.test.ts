import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, test } from "vitest";
import type { Event } from "../core/events.ts";
import { describeUrn, EngineEvents } from "./engine-events.ts";

const ingress =
  "urn:pulumi:dev::fraud::modelswitch:index:BlueGreenModel$kubernetes:networking.k8s.io/v1:Ingress::fraud";
const service = "urn:pulumi:dev::fraud::kubernetes:core/v1:Service::fraud-blue";

function backend(name: string, generated = "fraud-7f3a") {
  return {
    metadata: { name: generated },
    spec: { rules: [{ http: { paths: [{ backend: { service: { name } } }] } }] },
    __fieldManager: "pulumi",
  };
}

function metadata(op: string, urn: string, more: Partial<StepEventMetadata> = {}): StepEventMetadata {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  return { op, urn, type, provider: "", ...more } as StepEventMetadata;
}

function observe(events: readonly Partial<EngineEvent>[], planning = false, signal?: AbortSignal) {
  const seen: Event[] = [];
  const stop = signal === undefined ? {} : { signal };
  const engine = new EngineEvents({ events: (event) => seen.push(event), planning, ...stop });
  for (const event of events) engine.receive({ sequence: 0, timestamp: 0, ...event });
  return { seen, observed: engine.observed };
}

const path = "spec.rules[0].http.paths[0].backend.service.name";
const update = metadata("update", ingress, {
  old: { inputs: backend("fraud-blue"), outputs: {} } as never,
  new: { inputs: backend("fraud-green"), outputs: {} } as never,
  detailedDiff: { [path]: { diffKind: "update" as never, inputDiff: true } },
});

describe("engine events", () => {
  test("become one change with the property that differs, before and after", () => {
    const { seen, observed } = observe([
      { resourcePreEvent: { metadata: update } },
      { resOutputsEvent: { metadata: update } },
    ]);
    expect(observed.changes).toEqual([
      {
        operation: "update",
        urn: ingress,
        kind: "Ingress",
        name: "fraud-7f3a",
        properties: [{ path, before: "fraud-blue", after: "fraud-green" }],
      },
    ]);
    expect(seen).toMatchObject([
      { type: "resource", status: "started", operation: "update", changedProperties: [path] },
      { type: "resource", status: "done" },
    ]);
  });

  test("an object that the provider took as it was before its write is known", () => {
    const updated = (outputs: object, of: { type?: string; inputs?: object } = {}) => {
      const inputs = of.inputs ?? {
        metadata: { name: "fraud", labels: { app: "fraud", "app.kubernetes.io/managed-by": "modelswitch" } },
        spec: { rules: [{ host: "a.b" }] },
      };
      const about = { old: { inputs: {}, outputs: {} } as never, new: { inputs, outputs } as never };
      return observe([
        { resOutputsEvent: { metadata: { ...metadata("update", ingress, about), ...of } as never } },
      ]).observed.behind;
    };
    const labels = { app: "fraud", "app.kubernetes.io/managed-by": "modelswitch", team: "risk" };
    const rules = [{ host: "a.b", http: { paths: [] } }];
    expect(updated({ metadata: { labels, uid: "1" }, spec: { rules, ingressClassName: "x" } })).toEqual([]);
    expect(updated({ metadata: { labels: { app: "fraud" } }, spec: { rules } })).toEqual([ingress]);
    expect(updated({ metadata: { labels }, spec: { rules: [{ host: "old" }] } })).toEqual([ingress]);
    expect(updated({ metadata: { labels }, spec: {} })).toEqual([ingress]);
    // What is masked cannot be told, and other kinds have what the API server answered.
    const masked = { metadata: { annotations: { token: "[secret]" } } };
    expect(updated({ metadata: { annotations: { token: "x" } } }, { inputs: masked })).toEqual([]);
    expect(updated({}, { type: "kubernetes:core/v1:Service" })).toEqual([]);
    const label = 'metadata.labels["app.kubernetes.io/managed-by"]';
    const inputs = { metadata: { name: "fraud", labels: { "app.kubernetes.io/managed-by": "modelswitch" } } };
    const { observed } = observe([
      {
        resOutputsEvent: {
          metadata: metadata("update", ingress, {
            old: { inputs, outputs: { metadata: { labels: {} } } } as never,
            new: { inputs, outputs: inputs } as never,
            detailedDiff: { [label]: { diffKind: "add" as never, inputDiff: false } },
          }),
        },
      },
    ]);
    expect(observed.changes[0]?.properties).toEqual([{ path: label, after: "modelswitch" }]);
  });

  test("of a preview are planned, each once", () => {
    const { seen } = observe(
      [{ resourcePreEvent: { metadata: update } }, { resOutputsEvent: { metadata: update } }],
      true,
    );
    expect(seen).toMatchObject([{ status: "planned" }]);
    expect(seen).toHaveLength(1);
  });

  test("without a detailed diff are compared by their inputs", () => {
    const { detailedDiff: _none, ...coarse } = update;
    const { observed } = observe([{ resOutputsEvent: { metadata: coarse } }]);
    expect(observed.changes[0]?.properties).toEqual([{ path, before: "fraud-blue", after: "fraud-green" }]);
  });

  test("count unchanged resources, but not the stack and the default providers", () => {
    const { observed } = observe([
      {
        resOutputsEvent: {
          metadata: metadata("same", "urn:pulumi:dev::fraud::pulumi:pulumi:Stack::fraud-dev"),
        },
      },
      {
        resOutputsEvent: {
          metadata: metadata("same", "urn:pulumi:dev::fraud::pulumi:providers:kubernetes::default_4_34_2"),
        },
      },
      { resourcePreEvent: { metadata: metadata("same", service) } },
      { resOutputsEvent: { metadata: metadata("same", service) } },
    ]);
    expect(observed).toMatchObject({ same: 1, changes: [] });
  });

  test("take the outputs from the stack, secrets masked", () => {
    const stack = metadata("same", "urn:pulumi:dev::fraud::pulumi:pulumi:Stack::fraud-dev", {
      new: { outputs: { endpoint: "1.2.3.4", token: "[secret]" } } as never,
    });
    expect(observe([{ resOutputsEvent: { metadata: stack } }]).observed.outputs).toEqual({
      endpoint: "1.2.3.4",
      token: "[secret]",
    });
  });

  test("show a replacement as one change", () => {
    const { observed } = observe(
      ["create-replacement", "replace", "delete-replaced"].map((op) => ({
        resOutputsEvent: { metadata: metadata(op, service) },
      })),
    );
    expect(observed.changes).toMatchObject([{ operation: "replace", kind: "Service", name: "fraud-blue" }]);
  });

  test("of a failed resource carry the reason that came before, and are no change", () => {
    const { seen, observed } = observe([
      {
        diagnosticEvent: {
          severity: "error",
          message: "<{%fg 1%}>error: <{%reset%}>no such class\n",
          urn: service,
          color: "",
        },
      },
      { resOpFailedEvent: { metadata: metadata("create", service), status: 1, steps: 1 } },
    ]);
    expect(seen).toMatchObject([{ status: "failed", message: "error: no such class" }]);
    expect(observed.failed).toMatchObject([{ urn: service, kind: "Service", name: "fraud-blue" }]);
    expect(observed.changes).toEqual([]);
  });

  test("of a resource that was waited for when the operation was stopped say so", () => {
    const { seen, observed } = observe(
      [{ resOpFailedEvent: { metadata: metadata("create", service), status: 1, steps: 1 } }],
      false,
      AbortSignal.abort(),
    );
    expect(seen).toMatchObject([{ status: "interrupted" }]);
    expect(observed.failed).toMatchObject([{ urn: service, kind: "Service", name: "fraud-blue" }]);
  });

  test("leave out that the provider is older than the SDK: doctor says it", () => {
    const message =
      "<{%reset%}>resource plugin kubernetes is expected to have version >=4.34.2, but has 4.25.0; the wrong version may be on your path, or this may be a bug in the plugin<{%reset%}>\n";
    const { seen } = observe([{ diagnosticEvent: { severity: "warning", message, urn: "", color: "" } }]);
    expect(seen).toEqual([]);
  });

  test("a passing warning of the official provider is what it waits for", () => {
    const creating = metadata("create", service);
    const message = "[MinimumReplicasUnavailable] Deployment does not have minimum availability.";
    const passing = { severity: "warning" as const, message, urn: service, color: "", ephemeral: true };
    const { seen } = observe([{ resourcePreEvent: { metadata: creating } }, { diagnosticEvent: passing }]);
    expect(seen.map(({ type }) => type)).toEqual(["resource", "resource"]);
    expect(seen[1]).toMatchObject({ status: "started", message });
  });

  test("what was stopped is not explained by how the provider noticed", () => {
    const stop = new AbortController();
    stop.abort();
    const said = (message: string) => {
      const error = { severity: "error" as const, message, urn: service, color: "" };
      const failed = { metadata: metadata("update", service), status: 1, steps: 1 };
      return observe([{ diagnosticEvent: error }, { resOpFailedEvent: failed }], false, stop.signal).seen[0];
    };
    expect(said('Resource operation was cancelled for "fraud-green"')).not.toHaveProperty("message");
    expect(said("0 of 1 replicas ready")).toMatchObject({
      status: "interrupted",
      message: "0 of 1 replicas ready",
    });
  });

  test("pass warnings on, with the resource they are about", () => {
    const { seen } = observe([
      { diagnosticEvent: { severity: "warning", message: "deprecated", urn: service, color: "" } },
    ]);
    expect(seen).toEqual([
      { type: "warning", code: "pulumi-warning", message: "Service fraud-blue: deprecated" },
    ]);
  });

  test("show what a provider waits for as progress of its resource", () => {
    const { seen } = observe([
      { resourcePreEvent: { metadata: metadata("create", service) } },
      {
        diagnosticEvent: {
          severity: "info",
          message: "1 of 3 ready",
          urn: service,
          color: "",
          ephemeral: true,
        },
      },
    ]);
    expect(seen[1]).toMatchObject({ type: "resource", status: "started", message: "1 of 3 ready" });
  });
});

test("a URN names the kind and the name, also below a component", () => {
  expect(describeUrn(ingress)).toEqual({ kind: "Ingress", name: "fraud" });
  expect(describeUrn("urn:pulumi:dev::p::my:index:Thing::a::b")).toEqual({
    kind: "my:index:Thing",
    name: "a::b",
  });
});

test("a list that is refused to the provider is told at once, and shown to nobody", () => {
  const refused: string[] = [];
  const seen: Event[] = [];
  const engine = new EngineEvents({
    events: (event) => seen.push(event),
    planning: false,
    onRefused: (error) => refused.push(error("The update").message),
  });
  const say = (resource: string) => {
    const message = `E1130 reflector.go:200] "Failed to watch" err="failed to list *unstructured.Unstructured: ${resource} is forbidden: User \\"ci\\" cannot list resource \\"${resource}\\" in API group \\"\\" in the namespace \\"ml\\""`;
    const diagnosticEvent = {
      message,
      severity: "info#err",
      color: "never",
      prefix: "",
      ephemeral: false,
    } as const;
    engine.receive({ sequence: 0, timestamp: 0, diagnosticEvent });
  };
  say("endpoints");
  say("events");
  expect(refused).toEqual([expect.stringContaining("may not list endpoints")]);
  expect(seen).toEqual([]);
});
