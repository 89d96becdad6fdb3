import { describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { traefikNginx } from "../../component/routers/counters/traefik.ts";
import { readPrometheus } from "./prometheus.ts";

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
