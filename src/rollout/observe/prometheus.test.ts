import { describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { ingressNginx } from "../../component/routers/counters/ingress-nginx.ts";
import { traefikNginx } from "../../component/routers/counters/traefik.ts";
import { lastHour, readPrometheus } from "./prometheus.ts";

const model = {
  namespace: "prod",
  main: "fraud",
  services: { blue: "fraud-blue", green: "fraud-green" },
  servicePort: 80,
  routing: { main: "blue", candidate: "green", weight: 25 },
} as const;
const service = "prod-fraud-fraud-blue-80@kubernetesingressnginx";

/** A Prometheus with these series; all were scraped five seconds ago. */
function read(series: readonly (Readonly<Record<string, string>> & { readonly value: string })[]) {
  return readPrometheus(
    { url: "http://prometheus:9090", headers: () => Promise.resolve({}) },
    [traefikNginx],
    model,
    {
      clock: new FakeClock(),
      timeoutMs: 1_000,
      signal: new AbortController().signal,
      send: ({ url }) => {
        const isTime = new URL(url).searchParams.get("query")?.startsWith("timestamp(") === true;
        const result = series.map(({ value, ...labels }) => ({
          metric: { __name__: "traefik_service_requests_total", code: "200", service, ...labels },
          value: [1000, isTime ? "995" : value],
        }));
        return Promise.resolve({ status: 200, body: JSON.stringify({ data: { result } }) });
      },
    },
  );
}

const counted = async (series: Parameters<typeof read>[0]) => {
  const { replicas } = await read(series);
  return replicas.map(({ id, samples }) => [id, traefikNginx.count(samples, model).blue?.requests]);
};

describe("the last hour in a Prometheus", () => {
  const moments = [0, 600, 1200, 1800, 2400, 3000];
  const row = (labels: Readonly<Record<string, string>>, from: number, to: number) => ({
    metric: { exported_namespace: "prod", ingress: "fraud", status: "200", namespace: "ingress", ...labels },
    values: moments.filter((at) => at >= from && at <= to).map((at) => [at, "10"]),
  });
  const means = (result: readonly object[]) =>
    lastHour({ url: "http://prometheus:9090", headers: () => Promise.resolve({}) }, [ingressNginx], model, {
      clock: new FakeClock(),
      timeoutMs: 1_000,
      signal: new AbortController().signal,
      send: () => Promise.resolve({ status: 200, body: JSON.stringify({ data: { result } }) }),
    });

  test("a process that came after another one at the same address counts, too", async () => {
    const host = { instance: "10.1.0.1:10254", job: "nginx" };
    expect(
      await means([
        row({ ...host, pod: "a" }, 0, 1200),
        row({ ...host, pod: "a", status: "404" }, 0, 0),
        row({ ...host, pod: "b" }, 1800, 3000),
        row({ instance: "10.1.0.2:10254", job: "nginx", pod: "c" }, 0, 3000),
      ]),
    ).toEqual([30, 20, 20, 20, 20, 20]);
  });

  test("two jobs that scrape one process count it once, the one that knows more", async () => {
    const pod = { instance: "10.1.0.1:10254", pod: "a" };
    expect(
      await means([
        row({ ...pod, job: "alone" }, 0, 3000),
        row({ ...pod, job: "both" }, 0, 3000),
        row({ ...pod, job: "both", status: "500" }, 0, 3000),
      ]),
    ).toEqual([20, 20, 20, 20, 20, 20]);
  });

  test("requests of another model, and of the slot that is not live, are told apart", async () => {
    const pod = { instance: "10.1.0.1:10254", job: "nginx" };
    expect(
      await means([
        row(pod, 0, 3000),
        row({ ...pod, canary: "prod-fraud-blue-80" }, 0, 1800),
        row({ ...pod, ingress: "spam" }, 0, 3000),
      ]),
    ).toEqual([20, 20, 20, 20, 10, 10]);
  });
});

describe("the controller's series in a Prometheus", () => {
  test("replicas are told apart", async () => {
    expect(
      await counted([
        { job: "traefik", pod: "traefik-a", instance: "10.0.0.1:9100", value: "70" },
        { job: "traefik", pod: "traefik-b", instance: "10.0.0.2:9100", value: "30" },
      ]),
    ).toEqual([
      ["traefik-a", 70],
      ["traefik-b", 30],
    ]);
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ["two jobs", { job: "pods", pod: "traefik-a", instance: "10.0.0.1:9100" }],
    ["a job that does not name the pod", { job: "static", instance: "10.0.0.1:9100" }],
    ["a job that asks another port", { job: "pods", pod: "traefik-a", instance: "10.0.0.1:8080" }],
    [
      "two copies of the Prometheus",
      { job: "traefik", pod: "traefik-a", instance: "10.0.0.1:9100", replica: "b" },
    ],
  ])("a process that is scraped twice is counted once: %s", async (_, again) => {
    const once = { job: "traefik", pod: "traefik-a", instance: "10.0.0.1:9100", value: "70" };
    expect((await counted([once, { ...again, value: "71" }])).map(([, requests]) => requests)).toHaveLength(
      1,
    );
  });

  test("those of several clusters cannot be told apart, and are told", async () => {
    const of = (cluster: string) => ({ cluster, job: "traefik", instance: "10.0.0.1:9100", value: "1" });
    await expect(read([of("eu"), of("us")])).rejects.toThrow(
      /series of the model from several clusters \(eu, us\)/,
    );
    expect(await counted([of("eu")])).toEqual([["10.0.0.1:9100", 1]]);
  });
});
