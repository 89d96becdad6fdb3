import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { describeObserved } from "../../cli/commands/status.ts";
import { isStatusNews } from "../../cli/commands/status-news.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { modelStatus } from "../commands/status.ts";
import { up } from "../commands/up.ts";
import { ShareObserver } from "./observed-share.ts";

let bench: TestBench;

const counted: RolloutConfig = {
  steps: "25%:1m",
  gates: [{ name: "clients", traffic: { metrics: ["http://one:9100/metrics"] } }],
};
const context = (rollout: RolloutConfig = counted) => bench.context(templateConfig(rollout));

/** What Traefik shows at each reading: requests of blue and green, and when its process began. */
function showing(...readings: readonly (readonly [blue: number, green: number, started?: number])[]): void {
  let next = 0;
  bench.receive = () => {
    const [blue, green, started = 1] = readings[Math.min(next++, readings.length - 1)] ?? [0, 0];
    const service = `${testNamespace}-fraud-fraud-blue-80`;
    const body = [
      `process_start_time_seconds ${started}`,
      `traefik_service_requests_total{code="200",service="${service}@kubernetesingressnginx"} ${blue}`,
      `traefik_service_requests_total{code="200",service="${service}-canary@kubernetesingressnginx"} ${green}`,
    ].join("\n");
    return { status: 200, body };
  };
}

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
});

describe("status with somebody who counts", () => {
  test("shows where requests went between two readings, beside the declared share", async () => {
    showing([1000, 50], [1075, 75]);
    const { observed, split } = await modelStatus(context());
    expect(split).toEqual({ blue: 100, green: 0 });
    expect(observed).toEqual({
      kind: "observed",
      by: "Traefik (provider kubernetesIngressNGINX)",
      where: "one:9100",
      seconds: 1,
      requests: { blue: 75, green: 25 },
      split: { blue: 75, green: 25 },
    });
    expect(describeObserved(observed).join("")).toBe(
      "Observed: 100 requests in 1 s, counted by Traefik (provider kubernetesIngressNGINX) at one:9100",
    );
  });

  test("claims no share where there was no request", async () => {
    showing([1000, 50]);
    expect((await modelStatus(context())).observed).toMatchObject({
      split: null,
      requests: { blue: 0, green: 0 },
    });
  });

  test.each<[string, () => void, string]>([
    [
      "a controller that began anew",
      () => showing([1000, 50, 1], [10, 2, 2]),
      "came, went or was started again",
    ],
    ["counters that go back", () => showing([1000, 50], [900, 50]), "began anew"],
    [
      "an address that shows something else",
      () => (bench.receive = () => ({ status: 200, body: "up 1" })),
      "shows no counters",
    ],
    ["an address that refuses", () => (bench.receive = () => ({ status: 403, body: "" })), "HTTP 403"],
  ])("says why not: %s", async (_what, given, why) => {
    given();
    const { observed } = await modelStatus(context());
    expect(observed).toEqual({ kind: "unknown", why: expect.stringContaining(why) });
    expect(describeObserved(observed).join("")).toMatch(/^Observed: not known, /);
  });

  test("reads once a look while it watches, from one look to the next", async () => {
    showing([0, 0], [50, 50], [110, 190]);
    const observing = { readingMs: undefined, observer: new ShareObserver() };
    await modelStatus(context(), observing);
    bench.clock.pass(2_000);
    expect((await modelStatus(context(), observing)).observed).toMatchObject({
      seconds: 2,
      requests: { blue: 60, green: 140 },
      split: { blue: 30, green: 70 },
    });
  });

  test("nobody looks where the configuration does not say who counts, unless that is asked for", async () => {
    let asked = 0;
    bench.receive = () => {
      asked += 1;
      return { status: 200, body: "" };
    };
    expect((await modelStatus(context({}))).observed).toBeUndefined();
    const off = { readingMs: 0, observer: new ShareObserver() };
    expect((await modelStatus(context(), off)).observed).toBeUndefined();
    expect(asked).toBe(0);
    const wished = { readingMs: 100, observer: new ShareObserver() };
    expect((await modelStatus(context({}), wished)).observed).toMatchObject({ kind: "unknown" });
  });
});

describe("what is news while status is watched", () => {
  const seen = (green: number, requests: number) => ({
    live: "blue",
    observed: {
      kind: "observed",
      seconds: 2,
      requests: { green: requests },
      split: { blue: 100 - green, green },
    },
  });

  test("another state, or a share that moved by ten points; not each count", () => {
    expect(isStatusNews(seen(24.8, 90), seen(26.1, 130))).toBe(false);
    expect(isStatusNews(seen(24.8, 90), seen(49, 130))).toBe(true);
    expect(isStatusNews(seen(25, 9), { ...seen(25, 9), live: "green" })).toBe(true);
    expect(isStatusNews(seen(25, 9), { live: "blue", observed: { kind: "unknown", why: "x" } })).toBe(true);
    expect(isStatusNews({ models: [seen(5, 1), seen(5, 1)] }, { models: [seen(5, 2), seen(50, 2)] })).toBe(
      true,
    );
    expect(isStatusNews({ models: [seen(5, 1)] }, { models: [seen(5, 2)] })).toBe(false);
  });
});
