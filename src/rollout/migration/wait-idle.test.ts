import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { benchWithModel } from "../../../test/support/release-bench.ts";
import type { TestBench } from "../../../test/support/rollout-bench.ts";
import { observeDeployed } from "../context/deployed.ts";
import { type IdleOptions, waitIdle } from "./wait-idle.ts";

const metrics = "http://192.0.2.1:9100/metrics";
const old = [{ protocol: "http", address: "192.0.2.1", port: 80, url: "http://192.0.2.1:80" }] as const;

let bench: TestBench;
let startedAt: number;
/** Requests that the old controller has counted, and since when it runs. */
let counted: (passedMs: number) => { readonly requests: number; readonly start: number } | undefined;

beforeEach(async () => {
  bench = await benchWithModel();
  startedAt = bench.clock.now();
  bench.receive = ({ url }) => {
    const now = url === metrics ? counted(bench.clock.now() - startedAt) : undefined;
    if (now === undefined) return { status: 503, body: "" };
    const service = "ml-fraud-fraud-blue-80@kubernetesingressnginx";
    const body = `process_start_time_seconds ${now.start}\ntraefik_service_requests_total{code="200",service="${service}"} ${now.requests}\n`;
    return { status: 200, body };
  };
});

async function wait(options: Partial<IdleOptions> = {}, lookup?: () => readonly string[]) {
  const context = {
    ...bench.context(),
    ...(lookup === undefined
      ? {}
      : { lookup: () => Promise.resolve(lookup().map((address) => ({ address }))) }),
  };
  const { record, routing, observation } = await observeDeployed(context);
  return await waitIdle(
    context,
    { record, routing, observation, host: "fraud.test", old },
    { idleMs: 60_000, sources: [{ kind: "url", url: metrics }], ...options },
  );
}

describe("waiting until nobody uses the old way", () => {
  test("each request begins the time anew", async () => {
    counted = (passed) => ({ requests: Math.min(30, Math.floor(passed / 1_000)), start: 1 });
    expect(await wait()).toMatchObject({ kind: "counted", controller: expect.stringContaining("Traefik") });
    expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(90_000);
    expect(bench.clock.now() - startedAt).toBeLessThan(100_000);
  });

  test("so does a controller that was started again, or cannot be read: what sees nothing is not quiet", async () => {
    counted = (passed) => ({ requests: 0, start: passed < 30_000 ? 1 : 2 });
    await wait();
    expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(90_000);
    startedAt = bench.clock.now();
    counted = (passed) => (passed > 20_000 && passed < 40_000 ? undefined : { requests: 0, start: 1 });
    await wait();
    expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(98_000);
  });

  test("is given up in its time, and both go on serving", async () => {
    counted = (passed) => ({ requests: passed, start: 1 });
    const error = await failureOf(wait({ deadlineMs: 300_000 }));
    expect(error).toMatchObject({ code: "still-used", exitCode: 5 });
    expect(error.message).toMatch(/counted \d+ more/);
  });

  test("where nothing counts the name of the host tells, and it is called assumed", async () => {
    const led = () => (bench.clock.now() - startedAt < 30_000 ? ["192.0.2.1"] : ["192.0.2.2"]);
    expect(await wait({ sources: [] }, led)).toMatchObject({
      kind: "assumed",
      why: "nothing counts, and fraud.test does not lead there any more",
    });
    expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(88_000);
    expect(await failureOf(wait({ sources: [], deadlineMs: 300_000 }, () => ["192.0.2.1"]))).toMatchObject({
      code: "still-used",
    });
  });
});
