import { describe, expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import type { ApiRequest } from "../kubernetes/api.ts";
import { InitializationError } from "./errors.ts";
import { crashed, deployment, pod, replicaSet } from "./fixtures/objects.ts";
import { subject, urnOf } from "./fixtures/subject.ts";
import { at, text } from "./objects.ts";
import { type PropertyMap, Secret, Unknown } from "./struct.ts";

const configMap = (data: PropertyMap = { a: "1" }, metadata: PropertyMap = {}): PropertyMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "n", ...metadata },
  data,
});

const urn = urnOf("core/v1:ConfigMap", "c");
const creating = { urn, timeoutSeconds: 0, preview: false };
const refusal = (status: number, reason: string, message: string) => ({ status, body: { reason, message } });

/** A deployment whose only pod crashes for good. */
const failing = (request: ApiRequest) => {
  const status = { availableReplicas: 0, conditions: [{ type: "Available", status: "False" }] };
  const object = deployment(status, { replicas: 1 });
  if (request.method === "POST") return { body: object };
  if (request.path.endsWith("/deployments/d")) return { body: object };
  if (request.path.endsWith("/replicasets")) return { body: { items: [replicaSet("2", 0)] } };
  if (request.path.endsWith("/pods")) return { body: { items: [pod("p", "2", crashed(1, 7))] } };
  if (request.path.endsWith("/events")) {
    return { body: { items: [{ reason: "BackOff", message: "Back-off restarting", count: 4 }] } };
  }
  return undefined;
};

const failure = async (work: Promise<unknown>): Promise<Error> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("It did not fail.");
  return error;
};

describe("create", () => {
  test("waits a while for a namespace that another resource creates", async () => {
    let tries = 0;
    const { provider, told } = subject((request) => {
      if (request.method !== "POST") return undefined;
      tries++;
      return tries < 4 ? refusal(404, "NotFound", 'namespaces "n" not found') : { body: configMap() };
    });
    expect((await provider.create({ ...creating, inputs: configMap() })).id).toBe("n/c");
    expect(told[0]).toContain('namespaces "n" not found');
  });

  test("gives up on a namespace that does not come", async () => {
    const { provider } = subject(() => refusal(404, "NotFound", 'namespaces "n" not found'));
    const error = await failure(provider.create({ ...creating, inputs: configMap() }));
    expect(error.message).toContain('namespaces "n" not found');
  });

  test("takes over exactly what a killed run has left, and nothing else", async () => {
    const exists = refusal(409, "AlreadyExists", 'configmaps "c" already exists');
    const live = (data: PropertyMap, manager: string) =>
      subject((request) =>
        request.method === "POST" ? exists : { body: configMap(data, { managedFields: [{ manager }] }) },
      );
    const ours = live({ a: "1" }, "pulumi-kubernetes");
    expect((await ours.provider.create({ ...creating, inputs: configMap() })).id).toBe("n/c");
    expect(ours.told.join()).toContain("taken over");
    for (const other of [live({ a: "2" }, "pulumi-kubernetes"), live({ a: "1" }, "kubectl-create")]) {
      const error = await failure(other.provider.create({ ...creating, inputs: configMap() }));
      expect(error.message).toMatch(/already exists.*Import it/);
    }
  });

  test("takes over what a killed run made in its time, although it is declared otherwise now", async () => {
    const exists = refusal(409, "AlreadyExists", 'configmaps "c" already exists');
    const made = Date.UTC(2026, 0, 1);
    const subjectOf = (killedSince: number | undefined) => {
      const metadata = {
        managedFields: [{ manager: "pulumi-kubernetes", operation: "Update", fieldsV1: {} }],
        creationTimestamp: new Date(made).toISOString(),
      };
      return subject(
        (request) => (request.method === "POST" ? exists : { body: configMap({ a: "2" }, metadata) }),
        {},
        {},
        killedSince,
      );
    };
    const { provider, cluster, told } = subjectOf(made - 5_000);
    await provider.create({ ...creating, inputs: configMap() });
    expect(told.join()).toContain("taken over");
    expect(cluster.requests.at(-1)).toMatchObject({ method: "PATCH", body: { data: { a: "1" } } });
    for (const other of [subjectOf(undefined), subjectOf(made + 60_000)]) {
      const error = await failure(other.provider.create({ ...creating, inputs: configMap() }));
      expect(error.message).toMatch(/already exists.*Import it/);
    }
  });

  test("asks nothing of the API server while inputs are unknown", async () => {
    const { provider, cluster } = subject();
    const inputs = configMap({ a: new Unknown() });
    expect(await provider.create({ ...creating, inputs, preview: true })).toEqual({ id: "", state: inputs });
    expect(cluster.requests).toEqual([]);
  });

  test("keeps secrets out of errors, plain and encoded", async () => {
    const { provider } = subject(() => refusal(422, "Invalid", 'Invalid value: "hunter2" (aHVudGVyMg==)'));
    const error = await failure(
      provider.create({ ...creating, inputs: configMap({ a: new Secret("hunter2") }) }),
    );
    expect(error.message).toBe('Invalid value: "[secret]" ([secret])');
  });

  test("passes on what the API server warns about", async () => {
    const { provider, told } = subject(() => ({
      body: configMap(),
      headers: { warning: '299 - "unknown field \\"spec.x\\"", 299 - "deprecated"' },
    }));
    await provider.create({ ...creating, inputs: configMap() });
    expect(told).toEqual([
      'warning The API server warns: unknown field "spec.x"',
      "warning The API server warns: deprecated",
    ]);
  });

  test("hands over the state of an object that does not get ready, with the reasons", async () => {
    const { provider, cluster } = subject((request) =>
      request.path.endsWith("/log") ? { body: "no such file model.bin" } : failing(request),
    );
    const inputs = { ...deployment({}, { replicas: 1 }) };
    const deploymentUrn = urnOf("apps/v1:Deployment", "d");
    const error = await failure(provider.create({ ...creating, urn: deploymentUrn, inputs }));
    if (!(error instanceof InitializationError)) throw error;
    expect(error.id).toBe("n/d");
    expect(at(error.state, "__inputs", "kind")).toBe("Deployment");
    expect(error.reasons.join("\n")).toMatch(/0 of 1 replicas ready.*exit code 1.*Back-off.*model\.bin/s);
    expect(cluster.requests.find(({ path }) => path.endsWith("/log"))?.query).toMatchObject({
      previous: true,
    });
  });

  test("does not wait where the program says so", async () => {
    const { provider } = subject(failing);
    const object = deployment({}, { replicas: 1 });
    const annotations = { "pulumi.com/skipAwait": "true" };
    const inputs = { ...object, metadata: { name: "d", namespace: "n", annotations } };
    const result = await provider.create({ ...creating, urn: urnOf("apps/v1:Deployment", "d"), inputs });
    expect(result.id).toBe("n/d");
  });
});

describe("a wait", () => {
  const starting = (request: ApiRequest) =>
    request.path.endsWith("/pods") ? { body: { items: [] } } : failing(request);
  const request = {
    ...creating,
    urn: urnOf("apps/v1:Deployment", "d"),
    inputs: deployment({}, { replicas: 1 }),
  };

  test("ends at its deadline and says what it waited for", async () => {
    const { provider } = subject(starting);
    const error = await failure(provider.create({ ...request, timeoutSeconds: 30 }));
    expect(error.message).toContain("Not ready within 30 s\n0 of 1 replicas ready");
  });

  test("ends when the operation is cancelled, with the state of what was made", async () => {
    const made = subject((sent) => {
      if (sent.path.endsWith("/pods")) made.provider.cancel();
      return starting(sent);
    });
    const error = await failure(made.provider.create(request));
    expect(error).toBeInstanceOf(InitializationError);
    expect(error.message).toContain("The wait was interrupted");
  });

  test("interrupted while it is written: the object is in the state although nobody has looked at it", async () => {
    const { provider } = subject((request) => {
      if (request.method === "POST") provider.cancel();
      else request.signal?.throwIfAborted();
      return failing(request);
    });
    const inputs = deployment({}, { replicas: 1 });
    const error = await failure(
      provider.create({ ...creating, urn: urnOf("apps/v1:Deployment", "d"), inputs }),
    );
    if (!(error instanceof InitializationError)) throw error;
    expect(error.id).toBe("n/d");
    expect(error.message).toContain("The wait was interrupted");
  });

  test("outlasts an API server that is away for a while", async () => {
    let looks = 0;
    const { provider, told } = subject((sent) => {
      if (sent.method === "POST") return { body: deployment({}, { replicas: 2 }) };
      if (sent.path.endsWith("/deployments/d") && ++looks === 2)
        return refusal(503, "ServiceUnavailable", "away");
      const ready = { ...deployment(looks < 3 ? { availableReplicas: 1 } : {}) };
      if (sent.path.endsWith("/deployments/d")) return { body: ready };
      if (sent.path.endsWith("/replicasets")) return { body: { items: [replicaSet("2", 2)] } };
      return { body: { items: [] } };
    });
    await provider.create(request);
    expect(told.join("\n")).toContain("Cannot look at the cluster: away");
  });
});

describe("update", () => {
  const olds: PropertyMap = {
    ...configMap(),
    __inputs: configMap(),
    __fieldManager: "pulumi-kubernetes-1",
    __initialApiVersion: "v1",
  };
  const updating = { urn, id: "n/c", olds, ignoreChanges: [], timeoutSeconds: 0 };

  test("names the owner of a field that is in the way, in the preview already", async () => {
    const conflict = {
      status: 409,
      body: {
        reason: "Conflict",
        message: "Apply failed with 1 conflict",
        details: {
          causes: [
            {
              reason: "FieldManagerConflict",
              field: ".data.a",
              message: 'conflict with "operator" using v1',
            },
          ],
        },
      },
    };
    for (const preview of [true, false]) {
      const managed = { managedFields: [{ manager: "operator", operation: "Update", fieldsV1: {} }] };
      const { provider } = subject((sent) =>
        sent.method === "PATCH" ? conflict : { body: configMap({ a: "theirs" }, managed) },
      );
      const error = await failure(provider.update({ ...updating, news: configMap({ a: "2" }), preview }));
      expect(error.message).toContain('data.a belongs to "operator"');
    }
  });

  test("tells that the object was deleted by somebody", async () => {
    const { provider } = subject();
    const error = await failure(
      provider.update({ ...updating, news: configMap({ a: "2" }), preview: false }),
    );
    expect(error.message).toContain("no longer in the cluster");
  });

  test("without server-side apply patches what changed", async () => {
    const { provider, cluster } = subject(() => ({ body: configMap() }), { enableServerSideApply: "false" });
    await provider.update({ ...updating, news: configMap({ b: "2" }), preview: false });
    const patch = cluster.requests.find(({ method }) => method === "PATCH");
    expect(patch).toMatchObject({
      contentType: "application/merge-patch+json",
      body: { data: { a: null, b: "2" } },
      query: { fieldManager: "pulumi-kubernetes" },
    });
  });
});

describe("delete", () => {
  const state: PropertyMap = { ...configMap({}, { uid: "1" }), __inputs: configMap() };
  const deleting = { urn, id: "n/c", state, timeoutSeconds: 5 };

  test("is done when the object is already gone, or another one of its name is there", async () => {
    await subject().provider.delete(deleting);
    await subject(() => ({ body: configMap({}, { uid: "2" }) })).provider.delete(deleting);
  });

  test("names the finalizers that hold an object back", async () => {
    const { provider } = subject(() => ({
      body: configMap({}, { uid: "1", finalizers: ["example.com/hold"] }),
    }));
    const error = await failure(provider.delete(deleting));
    expect(error.message).toContain("example.com/hold");
    expect(error).toBeInstanceOf(InitializationError);
  });
});

describe("a cluster that can't be reached", () => {
  const away = () => {
    throw new UserError({
      code: "cluster-unreachable",
      message: "The API server cannot be reached",
      hint: "Start it.",
    });
  };
  const reading = {
    urn,
    id: "n/c",
    state: { ...configMap(), __inputs: configMap() },
    inputs: configMap(),
    imports: false,
  };

  test("does not look like deleted objects", async () => {
    const error = await failure(subject(away).provider.read(reading));
    expect(error.message).toMatch(/cannot be reached. Start it. .*PULUMI_K8S_DELETE_UNREACHABLE/);
  });

  test("lets go of its objects or leaves them as they are when the provider says so", async () => {
    expect(await subject(away, { deleteUnreachable: "true" }).provider.read(reading)).toBeUndefined();
    const kept = await subject(away, { skipUpdateUnreachable: "true" }).provider.read(reading);
    expect(text(kept?.inputs, "metadata", "name")).toBe("c");
  });
});

test("a refresh finds what was removed, and not what the API server has never given back", async () => {
  const inputs = { ...configMap({ a: "1", b: "2" }), odd: [{ x: "1", gone: "" }] };
  const written = { ...configMap({ a: "1", b: "2" }), odd: [{ x: "1" }] };
  const now = { ...configMap({ a: "1" }), odd: [{ x: "2" }] };
  const state = { ...written, __inputs: inputs };
  const reading = { urn, id: "n/c", state, inputs, imports: false };
  const found = await subject(() => ({ body: now })).provider.read(reading);
  expect(found?.inputs).toEqual({ ...inputs, data: { a: "1" }, odd: [{ x: "2", gone: "" }] });
});

test("an import brings the inputs a program would declare", async () => {
  const live = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "s",
      namespace: "n",
      uid: "1",
      resourceVersion: "5",
      creationTimestamp: "x",
      labels: { app: "a" },
    },
    spec: { type: "ClusterIP", clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [{ port: 80 }] },
    status: { loadBalancer: {} },
  };
  const importing = { urn: urnOf("core/v1:Service", "s"), id: "n/s", state: {}, inputs: {}, imports: true };
  const result = await subject(() => ({ body: live })).provider.read(importing);
  expect(result?.inputs).toEqual({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "n", labels: { app: "a" } },
    spec: { type: "ClusterIP", ports: [{ port: 80 }] },
  });
});
