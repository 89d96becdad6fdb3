import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { CounterSource, CountersOutcome } from "../../gates/io.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import type { CountedRollout } from "./counted-rollout.ts";
import { TrafficCounters } from "./counter-io.ts";
import { OwnRequests } from "./own-requests.ts";

let bench: TestBench;
let own: OwnRequests;
let counters: TrafficCounters;

const context = () => bench.context(templateConfig({}));
const routing = { main: "blue", candidate: "green", weight: 25 } as const;

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  own = new OwnRequests(bench.clock);
  counters = new TrafficCounters(context(), own);
});

const metrics = (blue: number, green: number, started = 1) => {
  const service = `${testNamespace}-fraud-fraud-blue-80`;
  return [
    `process_start_time_seconds ${started}`,
    `traefik_service_requests_total{code="200",service="${service}@kubernetesingressnginx"} ${blue}`,
    `traefik_service_requests_total{code="500",service="${service}-canary@kubernetesingressnginx"} ${green}`,
  ].join("\n");
};

async function seen(): Promise<CountedRollout> {
  const { record, observation } = await observeDeployed(context());
  return { record, observation, routing };
}

async function read(urls: readonly string[], proofs = 0): Promise<CountersOutcome> {
  const sources = urls.map((url): CounterSource => ({ kind: "url", url }));
  const signal = new AbortController().signal;
  return await counters.read(await seen(), proofs, { sources, timeoutMs: 1000, signal });
}

const eraOf = (outcome: CountersOutcome) => (outcome.kind === "read" ? outcome.era : outcome.why);

describe("what the ingress controller has counted", () => {
  test("of all its replicas together", async () => {
    bench.receive = ({ url, method }) => {
      expect(method).toBe("GET");
      return { status: 200, body: url.includes("one") ? metrics(70, 20) : metrics(30, 5) };
    };
    expect(await read(["http://one:9100/metrics", "http://two:9100/metrics"])).toMatchObject({
      kind: "read",
      controller: "Traefik (provider kubernetesIngressNGINX)",
      slots: {
        blue: { requests: 100, errors: 0 },
        green: { requests: 25, errors: 25 },
      },
      isDisturbed: false,
      steps: 1,
    });
  });

  test("a slot without any request yet has none", async () => {
    bench.receive = () => ({ status: 200, body: "traefik_service_requests_total 7" });
    expect(await read(["http://one/metrics"])).toMatchObject({ slots: { green: { requests: 0 } } });
  });

  test("a replica that was started again, a proof and an own request of which nothing is known begin anew", async () => {
    bench.receive = () => ({ status: 200, body: metrics(1, 1, 1) });
    const first = eraOf(await read(["http://one/metrics"]));
    expect(eraOf(await read(["http://one/metrics"]))).toBe(first);
    expect(eraOf(await read(["http://one/metrics"], 1))).not.toBe(first);
    bench.receive = () => ({ status: 200, body: metrics(1, 1, 2) });
    expect(eraOf(await read(["http://one/metrics"]))).not.toBe(first);
    bench.receive = () => ({ status: 200, body: metrics(1, 1, 1) });
    await own.counting(
      undefined,
      () => Promise.resolve(),
      () => false,
    );
    expect(eraOf(await read(["http://one/metrics"]))).not.toBe(first);
  });

  test("what this command sent itself is said, and that a request is under way", async () => {
    bench.receive = () => ({ status: 200, body: metrics(1, 1) });
    await own.counting(
      "green",
      () => Promise.resolve(500),
      (status) => status === 500,
    );
    let end = () => {};
    const running = own.counting(
      "blue",
      () => new Promise<void>((resolve) => (end = resolve)),
      () => false,
    );
    expect(await read(["http://one/metrics"])).toMatchObject({
      own: { green: { requests: 1, errors: 1 }, blue: { requests: 0 } },
      isDisturbed: true,
    });
    end();
    await running;
  });
});

describe("what cannot be read is said, and is no verdict", () => {
  test.each([
    ["another status", { status: 404, body: "" }, "the metrics of one:9100 cannot be read: HTTP 404"],
    ["more than is read", { status: 200, body: "", truncated: true }, "are larger than 32 MiB"],
    ["metrics of something else", { status: 200, body: "up 1" }, "one:9100 shows no counters of requests"],
  ])("%s", async (_what, answer, why) => {
    bench.receive = () => answer;
    expect(await read(["http://one:9100/metrics"])).toEqual({
      kind: "unreadable",
      why: expect.stringContaining(why),
    });
  });

  test("nobody answers", async () => {
    bench.receive = () => {
      throw new Error("no answer: nothing listens there");
    };
    expect(await read(["http://one:9100/metrics?token=secret"])).toEqual({
      kind: "unreadable",
      why: "the metrics at one:9100 cannot be read: no answer: nothing listens there",
    });
  });

  test("no pod has the labels", async () => {
    const source = {
      kind: "pods",
      namespace: "traefik",
      selector: "app=traefik",
      port: 9100,
      path: "/metrics",
    } as const;
    const request = {
      sources: [source],
      timeoutMs: 1000,
      signal: new AbortController().signal,
    };
    expect(await counters.read(await seen(), 0, request)).toEqual({
      kind: "unreadable",
      why: "no pod with app=traefik runs in the namespace traefik",
    });
  });
});

test("where nobody counts, requests of our own are no clients' requests", async () => {
  const warmUp = { path: "/predict", body: {} };
  const probing = bench.context(templateConfig({ warmUp }));
  let asked = 0;
  const probed = new TrafficCounters(probing, own, () => {
    asked += 1;
    return Promise.resolve({ kind: "answer", answer: { status: 200, body: "" }, latencyMs: 1 });
  });
  bench.receive = () => ({ status: 404, body: "" });
  const request = { sources: undefined, timeoutMs: 1000, signal: new AbortController().signal };
  expect(await probed.readClients(await seen(), 0, request)).toMatchObject({ kind: "unreadable" });
  expect(asked).toBe(0);
  expect(await probed.read(await seen(), 0, request)).toMatchObject({ kind: "read", share: 0.5 });
  expect(asked).toBe(2);
});
