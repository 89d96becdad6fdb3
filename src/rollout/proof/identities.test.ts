import { describe, expect, test } from "vitest";
import { FakeCluster, putSlot, refusal, testNamespace } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import type { PodScheme } from "../../core/pod-address.ts";
import type { ApiRequest } from "../../kubernetes/api.ts";
import { observe } from "../observe/observe.ts";
import { learnIdentities } from "./identities.ts";

const identity = { path: "/v2/models/m?full=1", from: { kind: "header" as const, name: "X-Version" } };

async function learn(
  answer: (pod: string, request: ApiRequest) => string | undefined,
  replicas = { blue: 2, green: 2 },
  scheme?: PodScheme,
) {
  const cluster = new FakeCluster();
  putSlot(cluster, "blue", { replicas: replicas.blue });
  putSlot(cluster, "green", { replicas: replicas.green });
  cluster.intercept = (request) => {
    const pod = /\/pods\/((?:https:)?[^/:]+):8080\/proxy\/v2\/models\/m$/.exec(request.path)?.[1];
    if (pod === undefined) return undefined;
    const value = answer(pod, request);
    return {
      status: value === undefined ? 404 : 200,
      headers: value === undefined ? {} : { "x-version": value },
      body: "{}",
    };
  };
  const observation = await observe({
    api: cluster,
    namespace: testNamespace,
    model: "fraud",
    router: nginx,
  });
  return await learnIdentities(observation.slots, ["blue", "green"], {
    api: cluster,
    namespace: testNamespace,
    identity,
    port: 8080,
    ...(scheme === undefined ? {} : { scheme }),
    signal: new AbortController().signal,
  });
}

describe("learnIdentities", () => {
  test("asks every ready pod through the API server", async () => {
    const asked: string[] = [];
    const learnt = await learn((pod, { query }) => {
      asked.push(`${pod} ${query?.full}`);
      return pod.includes("blue") ? "1" : "2";
    });
    expect(learnt).toEqual({ blue: "1", green: "2" });
    expect(asked.sort()).toEqual(["fraud-blue-0 1", "fraud-blue-1 1", "fraud-green-0 1", "fraud-green-1 1"]);
  });

  test("asks pods that take TLS over it", async () => {
    const asked: string[] = [];
    const answer = (pod: string) => {
      asked.push(pod);
      return pod.includes("blue") ? "1" : "2";
    };
    await learn(answer, { blue: 1, green: 1 }, "https");
    expect(asked.sort()).toEqual(["https:fraud-blue-0", "https:fraud-green-0"]);
  });

  test("takes what releases say where pods answer no HTTP, and asks nobody", async () => {
    const ready = (slot: "blue" | "green", marks: readonly (string | undefined)[]) => {
      const pods = marks.map((mark, index) => ({ name: `${slot}-${index}`, mark }));
      return { slot, pods, endpoints: { ready: pods.map(({ name }) => ({ pod: name })) } };
    };
    const learnDeclared = (blue: readonly (string | undefined)[], green: readonly (string | undefined)[]) =>
      learnIdentities(
        { blue: ready("blue", blue), green: ready("green", green) } as unknown as Parameters<
          typeof learnIdentities
        >[0],
        ["blue", "green"],
        {
          api: new FakeCluster(),
          namespace: testNamespace,
          identity,
          port: 9000,
          declared: true,
          signal: new AbortController().signal,
        },
      );
    expect(await learnDeclared(["1", "1"], ["2"])).toEqual({ blue: "1", green: "2" });
    expect(await learnDeclared(["1"], [])).toEqual({ blue: "1" });
    for (const [blue, green, message] of [
      [["1"], ["1"], "cannot be told apart"],
      [["1", "2"], ["3"], "different marks: 1, 2"],
      [[undefined], ["2"], "has no mark"],
    ] as const) {
      await expect(learnDeclared(blue, green)).rejects.toMatchObject({
        code: "slots-indistinguishable",
        message: expect.stringContaining(message),
      });
    }
  });

  test("leaves out a slot without ready pods", async () => {
    expect(await learn(() => "1", { blue: 2, green: 0 })).toEqual({ blue: "1" });
  });

  test("pods of a slot that disagree are named", async () => {
    await expect(learn((pod) => pod)).rejects.toMatchObject({
      code: "slots-indistinguishable",
      message: expect.stringMatching(/fraud-(blue|green)-0 says "fraud-\1-0"/),
    });
  });

  test("a pod without an identity is named with what it said", async () => {
    await expect(
      learn((pod) => (pod === "fraud-blue-1" ? undefined : pod.slice(0, 10))),
    ).rejects.toMatchObject({
      message: expect.stringContaining(
        "fraud-blue-1 of blue shows no identity at /v2/models/m?full=1 (header X-Version): HTTP 404",
      ),
    });
  });

  test("both slots the same", async () => {
    await expect(learn(() => "1")).rejects.toMatchObject({ code: "slots-indistinguishable", exitCode: 2 });
  });
});

describe("observe", () => {
  test("counts a pod once, and not when it is on its way out", async () => {
    const cluster = new FakeCluster();
    putSlot(cluster, "blue", { replicas: 2 });
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices`;
    const first = cluster.get(`${slices}/fraud-blue-x`);
    // Dual stack: the same pods once more.
    cluster.put(`${slices}/fraud-blue-6`, {
      ...first,
      metadata: { labels: { "kubernetes.io/service-name": "fraud-blue" } },
    });
    const pod = `/api/v1/namespaces/${testNamespace}/pods/fraud-blue-1`;
    const location = { api: cluster, namespace: testNamespace, model: "fraud", router: nginx };
    expect((await observe(location)).slots.blue.endpoints).toMatchObject({ notReady: 0, terminating: 0 });
    expect((await observe(location)).slots.blue.endpoints.ready).toHaveLength(2);
    const object = cluster.get(pod);
    cluster.put(pod, {
      ...object,
      metadata: { ...object?.metadata, deletionTimestamp: "2026-11-23T08:00:00Z" },
    });
    const { endpoints } = (await observe(location)).slots.blue;
    expect(endpoints.ready.map((endpoint) => endpoint.pod)).toEqual(["fraud-blue-0"]);
    expect(endpoints.terminating).toBe(1);
  });

  test("errors of the API server are not mistaken for absence", async () => {
    const cluster = new FakeCluster();
    cluster.intercept = ({ path }) =>
      path.includes("/services/") ? refusal(500, "InternalError") : undefined;
    const location = { api: cluster, namespace: testNamespace, model: "fraud", router: nginx };
    await expect(observe(location)).rejects.toMatchObject({ status: 500 });
  });
});
