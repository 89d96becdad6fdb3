import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { custom } from "../../component/servers/custom.ts";
import type { DrainingEvidence } from "../../core/model.ts";
import type { ApiResponse } from "../../kubernetes/api.ts";
import { release } from "../commands/release.ts";
import { up } from "../commands/up.ts";

const drainSeconds = 120;
let bench: TestBench;

const configOf = (draining: DrainingEvidence | undefined, protocol: "http" | "grpc" = "http") => ({
  ...templateConfig({ drain: drainSeconds, soak: 0, settle: 0 }),
  server: custom({
    identity: { path: "/version", from: { kind: "body" } },
    otherPorts: { metrics: 9090 },
    ...(draining === undefined ? {} : { metrics: { port: 9090, path: "/metrics" }, draining }),
  }),
  ingress: { host: "fraud.test", protocol },
});

beforeEach(() => {
  bench = testBench();
});

/** What the metrics of a pod answer, by the number of the look. */
type Metrics = (pod: string, look: number) => ApiResponse | Error;

const gauge = (value: number): ApiResponse => ({
  status: 200,
  headers: {},
  body: `# TYPE in_progress gauge\nin_progress{path="/a"} ${value}\nin_progress{path="/b"} 0\n`,
});

/** Releases, and returns what was shown of the drain and how long it took. */
async function drain(metrics: Metrics, config = configOf({ gauges: ["in_progress"] })) {
  const context = bench.context(config);
  await up(context, noFlags);
  const others = bench.cluster.intercept;
  const looks = new Map<string, number>();
  bench.cluster.intercept = (request) => {
    const pod = /\/pods\/(fraud-blue-\d+):9090\/proxy\/metrics$/.exec(request.path)?.[1];
    if (pod === undefined) return others?.(request);
    const look = (looks.get(pod) ?? 0) + 1;
    looks.set(pod, look);
    const answer = metrics(pod, look);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const end = await release(context, { template: { image: "fraud:2", replicas: 2 } });
  expect(end).toMatchObject({ kind: "live", state: { phase: "scale-down" } });
  const shown = bench.events.filter((event) => event.type === "step" && event.id === "drain-blue");
  const last = shown.at(-1);
  const warnings = bench.events.filter(({ type }) => type === "warning");
  return {
    looks: Math.max(0, ...looks.values()),
    states: shown.map((event) => (event.type === "step" ? event.state : "")),
    evidence: last?.type === "step" ? last.detail : undefined,
    warnings,
  };
}

describe("draining", () => {
  test("ends when the gauge of every pod is 0 in two looks", async () => {
    const seen = await drain((pod, look) => gauge(pod.endsWith("1") && look < 8 ? 3 : 0));
    expect(seen).toMatchObject({ evidence: "in-progress gauge of 2 pods: 0", looks: 9, warnings: [] });
    expect(seen.states.at(0)).toBe("started");
    expect(seen.states.at(-1)).toBe("done");
    expect(new Set(seen.states.slice(1, -1))).toEqual(new Set(["progress"]));
  });

  test("is not over by one quiet moment", async () => {
    const seen = await drain((_pod, look) => gauge(look === 2 || look > 4 ? 0 : 1));
    expect(seen).toMatchObject({ evidence: "in-progress gauge of 2 pods: 0", looks: 6 });
  });

  test("subtracts what the reading itself counts", async () => {
    const config = configOf({ gauges: ["in_progress"], baseline: 1 });
    expect(await drain((_pod, look) => gauge(look < 3 ? 2 : 1), config)).toMatchObject({
      evidence: "in-progress gauge of 2 pods: 0",
      looks: 4,
    });
  });

  test("waits for metrics that are late", async () => {
    const config = configOf({ gauges: ["in_progress"], lagSeconds: 15 });
    expect(await drain(() => gauge(0), config)).toMatchObject({ looks: 16 });
  });

  test.each<[string, Metrics, RegExp]>([
    ["metrics that are not there", () => ({ status: 404, headers: {}, body: "" }), /answers HTTP 404/],
    [
      "a gauge that is not there",
      () => ({ status: 200, headers: {}, body: "up 1\n" }),
      /has no gauge in_progress/,
    ],
    ["a pod that does not answer", () => new Error("timed out"), /timed out/],
    [
      "one pod of two",
      (pod) => (pod.endsWith("0") ? gauge(0) : { status: 503, headers: {}, body: "" }),
      /fraud-blue-1: \/metrics answers HTTP 503/,
    ],
  ])("%s: the whole time passes, and it is called assumed", async (_what, metrics, why) => {
    const seen = await drain(metrics);
    expect(seen.looks).toBeGreaterThanOrEqual(drainSeconds);
    expect(seen.evidence).toMatch(/^assumed after 120 s: nothing shows requests in flight/);
    expect(seen.evidence).toMatch(why);
  });

  test("a server without a gauge, or with one that does not see gRPC: assumed", async () => {
    expect(await drain(() => gauge(0), configOf(undefined))).toMatchObject({
      evidence:
        "assumed after 120 s: nothing shows requests in flight (no gauge of the model server custom is known)",
      looks: 0,
    });
    bench = testBench();
    expect(await drain(() => gauge(0), configOf({ gauges: ["in_progress"] }, "grpc"))).toMatchObject({
      evidence: expect.stringContaining("do not count gRPC requests"),
      looks: 0,
    });
    bench = testBench();
    const counted = configOf({ gauges: ["in_progress"], countsGrpc: true }, "grpc");
    expect(await drain(() => gauge(0), counted)).toMatchObject({ looks: 2 });
  });

  test("requests that do not end within the limit are said", async () => {
    const seen = await drain(() => gauge(1));
    expect(seen.evidence).toBe("in-progress gauge of 2 pods: 2; the limit of 120 s has passed");
    expect(seen.warnings).toMatchObject([{ code: "drain-limit" }]);
  });
});
