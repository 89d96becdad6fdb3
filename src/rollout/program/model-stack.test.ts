import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  FakeCluster,
  json,
  testConfig,
  testNamespace,
  testServer,
} from "../../../test/support/rollout-bench.ts";
import type { Event } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import { defaultPreviewHeader, ownLabels } from "../../core/names.ts";
import { settledOn } from "../../core/routing.ts";
import type { Stack, StackOptions } from "../../engine/stack.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import type { TakeIn } from "../../engine/take-in.ts";
import { declaredObjects, objectPath, typeOf } from "./declared-objects.ts";
import { type ModelStack, openModelStack } from "./model-stack.ts";

const spec = (changes: Partial<ModelSpec> = {}): ModelSpec => ({
  name: "fraud",
  namespace: testNamespace,
  server: testServer(),
  slots: { blue: { image: "fraud:1", replicas: 2 }, green: { image: "fraud:1", replicas: 0 } },
  ingress: { host: "fraud.test" },
  router: "nginx",
  previewHeader: "X-Preview",
  identity: undefined,
  servicePort: 80,
  ...changes,
});

let cluster: FakeCluster;
let events: Event[];
/** What was asked of the engine, in order. */
let calls: (string | TakeIn)[];
let known: readonly StackResource[];
let program: (() => Promise<unknown>) | undefined;
let updated: readonly string[];
let settings: StackOptions | undefined;
/** What the engine does to the cluster. */
let write: () => void;

beforeEach(() => {
  write = () => {};
  settings = undefined;
  cluster = new FakeCluster();
  events = [];
  calls = [];
  known = [];
  updated = [];
});

async function open(): Promise<ModelStack> {
  const done = (name: string) => async () => {
    calls.push(name);
    const changes = updated.map((text) => {
      const [kind = "", objectName = ""] = text.split(" ");
      return { operation: "update", urn: text, kind, name: objectName, properties: [] } as const;
    });
    return { changes, same: 0, outputs: {}, durationMs: 0 };
  };
  return await openModelStack({
    config: testConfig(),
    namespace: testNamespace,
    api: cluster,
    secrets: { kind: "passphrase", passphrase: "" },
    env: {},
    events: (event) => events.push(event),
    signal: new AbortController().signal,
    open: async (options): Promise<Stack> => {
      program = options.program;
      settings = options;
      return {
        preview: done(options.folder === "/project" ? "preview" : "preview beside"),
        up: async () => {
          write();
          return await done("up")();
        },
        refresh: async (only) => await done(`refresh ${only?.map(({ id }) => id).join()}`)(),
        destroy: done("destroy"),
        resources: async () => known,
        outputs: async () => undefined,
        check: async () => known,
        recover: () => Promise.resolve(),
        exportState: () => Promise.resolve(undefined),
        importState: () => Promise.resolve(),
        removeState: () => Promise.resolve(false),
        takeIn: async (taken) => {
          calls.push(taken);
        },
      };
    },
  });
}

const desired = (of = spec()) => ({ spec: of, routing: settledOn("blue") });

const put = (object: Parameters<typeof objectPath>[1], labels: Readonly<Record<string, string>> = {}) =>
  cluster.put(objectPath(testNamespace, object), {
    metadata: { name: object.name, namespace: testNamespace, labels },
  });

describe("before Pulumi runs", () => {
  test("each object that it would create is looked up; what is not there is left to it", async () => {
    await (await open()).up(desired());
    const asked = cluster.requests.map(({ path }) => path);
    for (const object of declaredObjects(spec())) expect(asked).toContain(objectPath(testNamespace, object));
    expect(calls).toEqual(["up"]);
  });

  test("the model's own objects that the state does not know are taken into it first", async () => {
    const service = { kind: "Service", name: "fraud-blue" } as const;
    put(service, ownLabels("fraud"));
    await (await open()).up(desired());
    expect(calls).toMatchObject([
      {
        parent: { type: "modelswitch:index:BlueGreenModel", name: "fraud" },
        objects: [{ type: typeOf(service), name: "fraud-blue" }],
      },
      "up",
    ]);
    expect(events).toMatchObject([{ type: "warning", code: "taken-into-state" }]);
  });

  test("what the state knows is not looked at, and nothing twice", async () => {
    known = declaredObjects(spec()).map(({ kind, name }) => ({
      kind,
      id: `${testNamespace}/${name}`,
      retained: false,
    }));
    for (const object of declaredObjects(spec())) put(object);
    const stack = await open();
    await stack.up(desired());
    await stack.up(desired());
    expect(calls).toEqual(["up", "up"]);
  });

  test.each([
    ["without labels", {}, "nothing says who made it"],
    ["of another model", ownLabels("spam"), "as part of the model spam"],
    ["of a Helm chart", { "app.kubernetes.io/managed-by": "Helm" }, "Helm manages it"],
  ])("an object %s is named, and Pulumi never starts", async (_what, labels, reason) => {
    put({ kind: "Ingress", name: "fraud-canary" }, labels);
    const stack = await open();
    for (const run of [stack.up(desired()), stack.preview(desired())]) {
      const error = await run.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "object-taken", exitCode: 2 });
      expect(String(error)).toContain("Ingress fraud-canary");
      expect(String(error)).toContain(reason);
    }
    expect(calls).toEqual([]);
  });

  test("of a model that the state does not know, the plan is made beside the state", async () => {
    put({ kind: "Service", name: "fraud-green" }, ownLabels("fraud"));
    await (await open()).preview(desired());
    expect(calls.at(-1)).toBe("preview beside");
    expect(events).toMatchObject([{ code: "taken-into-state" }]);
  });

  test.each([
    [
      "of a model",
      spec(),
      ["list endpoints", "list pods"],
      ["list horizontalpodautoscalers", "list configmaps"],
    ],
    [
      "of one with autoscalers and config files",
      spec({
        slots: {
          blue: { image: "a", configFiles: { "/etc/a": "1" }, autoscaling: { min: 2, max: 4 } },
          green: {},
        },
      }),
      ["list endpoints", "list horizontalpodautoscalers", "list configmaps"],
      [],
    ],
  ])("who may not look at all %s is told so, and it does not run", async (_what, of, some, never) => {
    const asked: string[] = [];
    cluster.intercept = ({ path, body }) => {
      if (path.endsWith("/selfsubjectrulesreviews")) return json(201, { status: {} });
      if (!path.endsWith("/selfsubjectaccessreviews")) return undefined;
      const { verb, resource } = (body as { spec: { resourceAttributes: Record<string, string> } }).spec
        .resourceAttributes as { verb: string; resource: string };
      asked.push(`${verb} ${resource}`);
      return json(201, { status: { allowed: resource !== "endpoints" } });
    };
    const stack = await open();
    for (const run of [() => stack.up(desired(of)), () => stack.refresh(desired(of))]) {
      await expect(run()).rejects.toMatchObject({
        code: "permission-denied",
        message: expect.stringMatching(/^Pulumi was not started.* may not list endpoints in/),
      });
    }
    expect(calls).toEqual([]);
    expect(asked).toEqual(expect.arrayContaining(some));
    expect(asked.filter((one) => never.includes(one))).toEqual([]);
  });

  test("it is told to take what others own of the model's objects", async () => {
    await (await open()).up(desired());
    expect(settings?.env).toMatchObject({ PULUMI_K8S_ENABLE_PATCH_FORCE: "true" });
  });
});

test("a refresh of some objects is one of those alone", async () => {
  const stack = await open();
  await stack.refresh(desired(), [{ kind: "Service", name: "fraud-blue" }]);
  await stack.refresh(desired());
  expect(calls).toEqual([`refresh ${testNamespace}/fraud-blue`, "refresh undefined"]);
});

describe("a change by hand", () => {
  const path = objectPath(testNamespace, { kind: "Deployment", name: "fraud-blue" });
  const scaled = {
    metadata: {
      labels: ownLabels("fraud"),
      managedFields: [
        {
          manager: "kubectl",
          operation: "Update",
          subresource: "scale",
          fieldsV1: { "f:spec": { "f:replicas": {} } },
        },
      ],
    },
    spec: { replicas: 5 },
  };
  const undone = () =>
    events.flatMap((event) =>
      event.type === "warning" && event.code === "hand-change-undone" ? [event.message] : [],
    );
  beforeEach(() => cluster.put(path, scaled));

  test("that goes with a write is said, also where the write failed later", async () => {
    const stack = await open();
    write = () => {
      cluster.put(path, { ...scaled, metadata: { labels: ownLabels("fraud") }, spec: { replicas: 2 } });
      throw new Error("killed");
    };
    await expect(stack.up(desired())).rejects.toThrow("killed");
    expect(undone()).toEqual([expect.stringContaining("spec.replicas: 2 -> 5 (kubectl scale)")]);
  });

  test("that Pulumi leaves stays, and nobody says otherwise", async () => {
    updated = ["Deployment fraud-blue"];
    await (await open()).up(desired());
    expect(undone()).toEqual([]);
    expect(cluster.requests.filter(({ method }) => method === "PATCH")).toEqual([]);
  });

  test("that Pulumi leaves is put back where it should be, under the name of its provider", async () => {
    await (await open()).up(desired(), { putsBack: ({ slot }) => slot === "blue" });
    const [patch] = cluster.requests.filter(({ method }) => method === "PATCH");
    expect(patch).toMatchObject({
      path,
      query: { fieldManager: "pulumi-kubernetes" },
      contentType: "application/json-patch+json",
    });
    expect(patch?.body).toContainEqual(
      expect.objectContaining({ op: "replace", path: "/spec", value: { replicas: 2 } }),
    );
  });
});

describe("the objects that are looked for", () => {
  const scaled = { resources: { requests: { cpu: "1" } }, autoscaling: { min: 2, max: 4 } };
  test.each<[string, Partial<ModelSpec>]>([
    ["a template's", {}],
    ["the seed's: Services and routing", { slots: { blue: {}, green: {} } }],
    ["the plain router's", { router: "plain", previewHeader: defaultPreviewHeader }],
    [
      "with config files, an autoscaler and a budget",
      {
        slots: {
          blue: { image: "a", configFiles: { "/etc/a": "1" }, ...scaled },
          green: { image: "b", replicas: 3, disruptionBudget: { maxUnavailable: 1 } },
        },
      },
    ],
    ["without budgets", { slots: { blue: { image: "a", replicas: 3, disruptionBudget: false }, green: {} } }],
    [
      "with given names",
      {
        slots: {
          blue: { image: "a", replicas: 2, deployment: "server", service: "api", autoscaler: "scale" },
          green: { image: "a", ...scaled },
        },
        ingress: { host: "fraud.test", name: "public" },
      },
    ],
    [
      "on the way to another router",
      { besides: [{ router: "gateway-api", ingress: { host: "fraud.test", gateway: { name: "edge" } } }] },
    ],
  ])("%s are those that the component declares", async (_what, changes) => {
    const registered: string[] = [];
    await pulumi.runtime.setMocks({
      call: (args) => args.inputs,
      newResource: (args) => {
        if (args.type.startsWith("kubernetes:")) registered.push(`${args.type} ${args.name}`);
        return { id: args.name, state: args.inputs };
      },
    });
    const of = spec(changes);
    await (await open()).up(desired(of));
    await program?.();
    const wanted = declaredObjects(of).map(({ kind, name }) => `${typeOf({ kind })} ${name}`);
    await vi.waitUntil(() => registered.length >= wanted.length);
    // Whatever is registered late, is there by now: the last routing object depends on all others.
    await new Promise((resolve) => setImmediate(resolve));
    expect(registered.toSorted()).toEqual(wanted.toSorted());
  });
});
