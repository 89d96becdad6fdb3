import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeCluster } from "../../../test/support/rollout-bench.ts";
import type { SendAnswer, SendRequest } from "../../calls/io.ts";
import { routerNamed } from "../../component/routers/factory.ts";
import { custom } from "../../component/servers/custom.ts";
import { mlserver } from "../../component/servers/mlserver.ts";
import { ingressMetricsAnnotation } from "../../core/local-cluster.ts";
import type { ModelServer } from "../../core/model.ts";
import type { RouterName } from "../../core/router-names.ts";
import { type FindCounters, findCounters } from "./find-counters.ts";
import type { CountersAbout } from "./read-counters.ts";

const service = "prod-fraud-fraud-blue-80";
const traefik = (blue: number) =>
  [
    "process_start_time_seconds 1",
    "traefik_config_reloads_total 3",
    `traefik_service_requests_total{code="200",service="${service}@kubernetesingressnginx"} ${blue}`,
  ].join("\n");

let cluster: FakeCluster;
let receive: (request: SendRequest) => SendAnswer;

beforeEach(() => {
  cluster = new FakeCluster();
  receive = () => {
    throw new Error("nothing listens there");
  };
});

function about(more: Partial<CountersAbout> = {}): CountersAbout {
  return {
    api: cluster,
    send: (request) => Promise.resolve().then(() => receive(request)),
    clock: new FakeClock(),
    prometheus: undefined,
    router: routerNamed("nginx"),
    model: {
      namespace: "prod",
      main: "fraud",
      services: { blue: "fraud-blue", green: "fraud-green" },
      servicePort: 80,
      routing: { main: "blue", candidate: "green", weight: 25 },
    },
    server: custom({}),
    scheme: "http",
    pods: { blue: ["fraud-blue-1"], green: ["fraud-green-1"] },
    timeoutMs: 1_000,
    signal: new AbortController().signal,
    ...more,
  };
}

const find = (more: Partial<FindCounters> = {}, by: Partial<CountersAbout> = {}) =>
  findCounters({ about: about(by), className: "nginx", ...more });

function withClass(urls: string): void {
  cluster.put("/apis/networking.k8s.io/v1/ingressclasses/nginx", {
    metadata: { annotations: { [ingressMetricsAnnotation]: urls } },
  });
}

/** The controller's pods, and what each answers; `undefined`: its metrics are off. */
function withPods(
  pods: Readonly<Record<string, string | undefined>>,
  { isClusterListed = true, port = 9100 } = {},
): void {
  const labels = { "app.kubernetes.io/name": "traefik" };
  for (const name of Object.keys(pods)) {
    cluster.put(`/api/v1/namespaces/traefik/pods/${name}`, {
      metadata: { name, namespace: "traefik", labels },
      spec: {
        containers: [
          {
            ports: [
              { name: "web", containerPort: 8000 },
              { name: "metrics", containerPort: port },
            ],
          },
        ],
      },
      status: { phase: "Running" },
    });
  }
  cluster.intercept = ({ path, query }) => {
    if (path === "/api/v1/pods") {
      if (!isClusterListed)
        return { status: 403, headers: {}, body: JSON.stringify({ reason: "Forbidden" }) };
      const isAsked = query?.labelSelector === "app.kubernetes.io/name=traefik";
      const items = isAsked
        ? Object.keys(pods).map((name) => cluster.get(`/api/v1/namespaces/traefik/pods/${name}`))
        : [];
      return { status: 200, headers: {}, body: JSON.stringify({ items }) };
    }
    const name = Object.keys(pods).find((pod) =>
      path.startsWith(`/api/v1/namespaces/traefik/pods/${pod}:${port}/proxy/metrics`),
    );
    if (name === undefined) return undefined;
    const body = pods[name];
    return body === undefined ? { status: 502, headers: {}, body: "" } : { status: 200, headers: {}, body };
  };
}

describe("who counts clients' requests is found", () => {
  test("where the IngressClass says", async () => {
    withClass("http://10.0.0.7:9100/metrics, http://10.0.0.8:9100/metrics");
    receive = ({ url }) => ({ status: 200, body: traefik(url.includes("10.0.0.7") ? 70 : 30) });
    const found = await find();
    expect(found).toMatchObject({
      kind: "found",
      source: { kind: "controller" },
      read: { by: "Traefik (provider kubernetesIngressNGINX)", where: "10.0.0.7:9100, 10.0.0.8:9100" },
    });
    const counted =
      found.kind === "found" ? found.read.replicas.map((one) => one.counted.blue?.requests) : [];
    expect(counted).toEqual([70, 30]);
  });

  test.each([true, false])(
    "in the controller's pods, all of them; the whole cluster may be listed: %s",
    async (isClusterListed) => {
      withPods({ "traefik-a": traefik(1), "traefik-b": traefik(2) }, { isClusterListed });
      expect(await find()).toMatchObject({
        kind: "found",
        source: {
          places: [
            { kind: "pods", namespace: "traefik", selector: "app.kubernetes.io/name=traefik", port: 9100 },
          ],
        },
        read: { replicas: [expect.anything(), expect.anything()] },
      });
    },
  );

  test("at the port that they name", async () => {
    withPods({ "traefik-a": traefik(1) }, { port: 9999 });
    expect(await find()).toMatchObject({ source: { places: [{ port: 9999 }] } });
  });

  test("a replica that can't be read is no controller of which a part is known", async () => {
    withPods({ "traefik-a": traefik(1), "traefik-b": undefined });
    expect(await find()).toMatchObject({
      kind: "none",
      tried: expect.arrayContaining([expect.stringContaining("traefik-b")]),
    });
  });

  test("what the configuration names is asked, and nobody else", async () => {
    withClass("http://10.0.0.7:9100/metrics");
    const found = await find({ places: [{ kind: "url", url: "http://other:9100/metrics" }] });
    expect(found).toEqual({
      kind: "none",
      tried: ["the metrics at other:9100 cannot be read: nothing listens there"],
    });
  });

  test("a Prometheus, where the controller can't be read", async () => {
    const row = (name: string, labels: object, value: string) => ({
      metric: {
        __name__: name,
        instance: "10.0.0.7:9100",
        exported_service: `${service}@kubernetesingressnginx`,
        ...labels,
      },
      value: [1000, value],
    });
    const asked: string[] = [];
    receive = ({ url, headers }) => {
      const query = new URL(url).searchParams.get("query") ?? "";
      asked.push(query);
      expect(headers.authorization).toBe("Bearer secret");
      const isTime = query.startsWith("timestamp(");
      const isTraefik = query.includes("traefik_service");
      const result = !isTraefik
        ? []
        : [
            row("traefik_service_requests_total", { code: "200" }, isTime ? "988" : "40"),
            row("traefik_service_requests_total", { code: "502" }, isTime ? "988" : "2"),
          ];
      return {
        status: 200,
        body: JSON.stringify({ status: "success", data: { resultType: "vector", result } }),
      };
    };
    const clock = new FakeClock();
    const headers = () => Promise.resolve({ authorization: "Bearer secret" });
    const found = await find({}, { clock, prometheus: { url: "http://prometheus:9090/", headers } });
    expect(found).toMatchObject({
      kind: "found",
      source: { kind: "prometheus" },
      read: {
        isLate: true,
        // Scraped 12 s before, by the clock of Prometheus.
        atMs: clock.now() - 12_000,
        replicas: [{ counted: { blue: { requests: 42, errors: 2 } } }],
      },
    });
    expect(asked[0]).toContain('exported_service=~"(httproute-)?prod-.*"');
  });

  test.each<[string, SendAnswer, string]>([
    ["refuses", { status: 401, body: "" }, "Prometheus at prometheus:9090 does not answer a query: HTTP 401"],
    ["is none", { status: 200, body: "<html>" }, "what answers at prometheus:9090 is no Prometheus"],
    [
      "knows nothing",
      { status: 200, body: '{"data":{"result":[]}}' },
      "Prometheus has no series of the model yet",
    ],
  ])("a Prometheus that %s is said", async (_what, answer, why) => {
    receive = () => answer;
    const prometheus = { url: "http://prometheus:9090", headers: () => Promise.resolve({}) };
    const found = await find({}, { prometheus });
    expect(found.tried.join("; ")).toContain(why);
  });

  test("the model servers in the pods of both slots, as the last; probes are no requests", async () => {
    const counted = (requests: number, errors: number) =>
      [
        `rest_server_requests_total{method="POST",path="/v2/models/{model_name}/infer",status_code="200"} ${requests}`,
        `rest_server_requests_total{method="POST",path="/v2/models/{model_name}/infer",status_code="500"} ${errors}`,
        'rest_server_requests_total{method="GET",path="/v2/health/ready",status_code="200"} 999',
      ].join("\n");
    cluster.intercept = ({ path }) =>
      path.includes(":8082/proxy/metrics")
        ? { status: 200, headers: {}, body: path.includes("blue") ? counted(90, 0) : counted(9, 1) }
        : undefined;
    const server: ModelServer = mlserver({ modelName: "fraud" });
    expect(await find({}, { server })).toMatchObject({
      kind: "found",
      source: { kind: "servers" },
      read: {
        by: "the model server (mlserver)",
        replicas: [
          { counted: { blue: { requests: 90, errors: 0 } } },
          { counted: { green: { requests: 10, errors: 1 } } },
        ],
      },
    });
  });

  test.each<[RouterName, string]>([
    ["nginx", "no pod with app.kubernetes.io/name=traefik was found"],
    ["plain", "nothing is known of how controllers of the router plain count"],
  ])("nobody, with the router %s: each way is said", async (router, why) => {
    const found = await find({}, { router: routerNamed(router) });
    expect(found.kind).toBe("none");
    expect(found.tried.join("; ")).toContain(why);
    expect(found.tried.join("; ")).toContain("no counters of the model server custom are known");
  });
});
