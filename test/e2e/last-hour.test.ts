import { afterAll, beforeAll, expect, test } from "vitest";
import { sender } from "../../src/calls/send.ts";
import type { CountedModel } from "../../src/component/routers/counters/counted.ts";
import { ingressNginx } from "../../src/component/routers/counters/ingress-nginx.ts";
import { traefikCrd, traefikNginx } from "../../src/component/routers/counters/traefik.ts";
import { systemClock } from "../../src/core/clock.ts";
import { lastHour, readPrometheus } from "../../src/rollout/observe/prometheus.ts";
import { type RunningPrometheus, startPrometheus } from "./prometheus.ts";

/** What a plan is made with, as a real Prometheus remembers it. */
let prometheus: RunningPrometheus;

const now = Math.floor(Date.now() / 1000);
const model: CountedModel = {
  namespace: "prod",
  main: "fraud",
  services: { blue: "fraud-blue", green: "fraud-green" },
  servicePort: 80,
  routing: { main: "blue", candidate: "green", weight: 0 },
};

/** A counter, scraped each 15 s from `fromMinutes` ago on; `rate`: requests a second at so many seconds ago. */
function series(
  labels: Readonly<Record<string, string>>,
  fromMinutes: number,
  rate: (ago: number) => number,
) {
  const text = Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
  const lines: string[] = [];
  let value = 0;
  for (let ago = fromMinutes * 60; ago >= 0; ago -= 15) {
    value += 15 * rate(ago);
    lines.push(`{${text}} ${value} ${now - ago}`);
  }
  return lines;
}

const target = (pod: string, job: string) => ({ job, instance: `${pod}:9100`, pod, namespace: "ingress" });
const fraud = (slot: string) => ({ service: `prod-fraud-${slot}-80@kubernetescrd`, method: "POST" });

beforeAll(async () => {
  // Thirty a second, but for twenty minutes of the hour: ten.
  const uneven = (ago: number) => (ago > 1800 && ago <= 3000 ? 10 : 30);
  const traefik = [
    // Green was live until 25 minutes ago: its requests are the model's, too.
    ...series({ ...target("traefik-a", "pods"), ...fraud("blue"), code: "200" }, 130, (ago) =>
      ago <= 1500 ? uneven(ago) : 0,
    ),
    ...series({ ...target("traefik-a", "pods"), ...fraud("green"), code: "200" }, 130, (ago) =>
      ago > 1500 ? uneven(ago) : 0,
    ),
    // The same process, scraped by a second job.
    ...series({ ...target("traefik-a", "services"), ...fraud("blue"), code: "200" }, 130, uneven),
    // Another replica, with errors, too.
    ...series({ ...target("traefik-b", "pods"), ...fraud("blue"), code: "200" }, 130, () => 4),
    ...series({ ...target("traefik-b", "pods"), ...fraud("blue"), code: "500" }, 130, () => 1),
    // Somebody else's model in the same namespace.
    ...series(
      { ...target("traefik-a", "pods"), service: "prod-spam-blue-80@kubernetescrd", code: "200" },
      130,
      () => 900,
    ),
  ];
  const nginx = [
    ...series(
      {
        ...target("nginx-a", "pods"),
        exported_namespace: "prod",
        ingress: "fraud",
        canary: "",
        status: "200",
      },
      35,
      () => 20,
    ),
    ...series(
      {
        ...target("nginx-a", "pods"),
        exported_namespace: "other",
        ingress: "fraud",
        canary: "",
        status: "200",
      },
      35,
      () => 70,
    ),
  ];
  const family = (name: string, lines: readonly string[]) => [
    `# TYPE ${name} counter`,
    ...lines.map((line) => `${name}_total${line}`),
  ];
  const text = [...family("traefik_service_requests", traefik), "# EOF", ""].join("\n");
  const plain = ["# TYPE nginx_ingress_controller_requests gauge"].concat(
    nginx.map((line) => `nginx_ingress_controller_requests${line}`),
  );
  prometheus = await startPrometheus([], [...plain, text].join("\n"));
}, 120_000);

afterAll(() => prometheus?.stop());

const server = () => ({ url: prometheus.url, headers: () => Promise.resolve({}) });
const io = () => ({
  send: sender({}),
  clock: { ...systemClock, now: () => now * 1000 },
  timeoutMs: 10_000,
  signal: AbortSignal.timeout(20_000),
});
const means = (known: Parameters<typeof lastHour>[1]) => lastHour(server(), known, model, io());

/** Ends of ten minutes are between two scrapes, and Prometheus extrapolates. */
const rounded = (found: readonly number[]) => found.map((one) => 5 * Math.round(one / 5));

test("the model's own requests, of both slots and all replicas, once each", async () => {
  // Until 50, 40, 30, 20, 10 and 0 minutes ago.
  expect(rounded(await means([traefikCrd, traefikNginx]))).toEqual([35, 15, 15, 35, 35, 35]);
});

test("of an hour of which it knows a part, what it knows in whole", async () => {
  expect(rounded(await means([ingressNginx]))).toEqual([20, 20, 20]);
});

test("the counters of ingress-nginx, whose main Service has an empty label, which Prometheus does not keep", async () => {
  const { replicas } = await readPrometheus(server(), [ingressNginx], model, io());
  expect(replicas.map(({ samples }) => ingressNginx.count(samples, model))).toEqual([
    { blue: expect.objectContaining({ requests: 35 * 60 * 20 + 300 }) },
  ]);
});
