import { credentials, Metadata, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { FakeCluster } from "./fixtures/fake-cluster.ts";
import { urnOf } from "./fixtures/subject.ts";
import { makeServer, providerVersion } from "./server.ts";
import { fromStruct, toStruct } from "./struct.ts";

type Client = InstanceType<typeof providerGrpc.ResourceProviderClient>;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A served provider whose clusters are told apart by the kubeconfig that leads to them. */
async function serve(clusters: Readonly<Record<string, FakeCluster>>): Promise<() => Client> {
  const { server, close } = makeServer({
    ambient: {},
    connect: async (source: KubeconfigSource) => {
      const api = clusters[source.contents ?? "ambient"] ?? new FakeCluster();
      return { api, context: "c", namespace: source.contents ?? "ambient" };
    },
    clock: systemClock,
    environment: {},
    signal: new AbortController().signal,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  closing.push(() => {
    close();
    server.forceShutdown();
  });
  return () => {
    // The engine's connections are its own; grpc-js would share one between clients of the same process.
    const client = new providerGrpc.ResourceProviderClient(
      `127.0.0.1:${port}`,
      credentials.createInsecure(),
      {
        "grpc.use_local_subchannel_pool": 1,
      },
    );
    closing.push(() => client.close());
    return client;
  };
}

function call<Request, Response>(
  method: (request: Request, done: (error: ServiceError | null, response: Response) => void) => unknown,
  client: Client,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method.call(client, request, (error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

async function configure(client: Client, kubeconfig: string): Promise<void> {
  const request = new providerPb.ConfigureRequest();
  request.getVariablesMap().set("kubernetes:config:kubeconfig", kubeconfig);
  const response = await call<providerPb.ConfigureRequest, providerPb.ConfigureResponse>(
    client.configure,
    client,
    request,
  );
  expect(response.getSupportspreview()).toBe(true);
}

function checkRequest(type: string): providerPb.CheckRequest {
  const request = new providerPb.CheckRequest();
  request.setUrn(urnOf(type, "x"));
  request.setNews(toStruct({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } }));
  return request;
}

describe("the gRPC server", () => {
  test("tells its version, and leaves the handshake to engines that can do without", async () => {
    const client = (await serve({}))();
    const info = await call<emptyPb.Empty, { getVersion(): string }>(
      client.getPluginInfo,
      client,
      new emptyPb.Empty(),
    );
    expect(info.getVersion()).toBe(providerVersion);
    const handshake = new providerPb.ProviderHandshakeRequest();
    await expect(call(client.handshake, client, handshake)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  test("keeps the providers of a program apart", async () => {
    const connect = await serve({});
    const [one, two] = [connect(), connect()];
    await configure(one, "a: one");
    await configure(two, "a: two");
    for (const [client, namespace] of [
      [one, "a: one"],
      [two, "a: two"],
    ] as const) {
      const response = await call<providerPb.CheckRequest, providerPb.CheckResponse>(
        client.check,
        client,
        checkRequest("core/v1:ConfigMap"),
      );
      expect(fromStruct(response.getInputs())).toMatchObject({ metadata: { namespace } });
    }
  });

  test("refuses what only the official provider can do, by name", async () => {
    const client = (await serve({}))();
    await configure(client, "a: one");
    const check = call(client.check, client, checkRequest("helm.sh/v3:Release"));
    await expect(check).rejects.toMatchObject({ details: expect.stringMatching(/helm\.sh.*official/) });
    const invoke = new providerPb.InvokeRequest();
    invoke.setTok("kubernetes:yaml:decode");
    await expect(call(client.invoke, client, invoke)).rejects.toMatchObject({
      details: expect.stringContaining("kubernetes:yaml:decode"),
    });
  });

  test("sends the state of a half-made object with the error", async () => {
    const namespace = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "n" } };
    const annotations = { "pulumi.com/waitFor": "condition=Never" };
    const object = { ...namespace, metadata: { ...namespace.metadata, annotations } };
    const client = (await serve({ "a: one": new FakeCluster(() => ({ body: object })) }))();
    await configure(client, "a: one");
    const request = new providerPb.CreateRequest();
    request.setUrn(urnOf("core/v1:ConfigMap", "x"));
    request.setProperties(toStruct(object));
    request.setTimeout(0.05);
    const error = await call(client.create, client, request).then(
      () => undefined,
      (reason: ServiceError) => reason,
    );
    const [packed] = error?.metadata.get("grpc-status-details-bin") ?? [];
    const [detail] = statusPb.Status.deserializeBinary(packed as Buffer).getDetailsList();
    expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
    const partial = providerPb.ErrorResourceInitFailed.deserializeBinary(
      detail?.getValue_asU8() ?? new Uint8Array(),
    );
    expect(partial.getId()).toBe("n/x");
    expect(partial.getReasonsList().join()).toContain("condition=Never");
    expect(fromStruct(partial.getProperties())).toMatchObject({
      kind: "ConfigMap",
      __initialApiVersion: "v1",
    });
    expect(error?.metadata).toBeInstanceOf(Metadata);
  });
});
