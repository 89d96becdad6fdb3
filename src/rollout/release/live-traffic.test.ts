import { beforeEach, describe, expect, test } from "vitest";
import {
  benchWithModel,
  noFlags,
  splitNow,
  templateConfig,
  to,
} from "../../../test/support/release-bench.ts";
import { type TestBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { ingressMetricsAnnotation } from "../../core/local-cluster.ts";
import { release } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { describeLive, liveDocument, planLive } from "./live-plan.ts";

let bench: TestBench;
/** Requests that came in a second, and how many of them fail, by slot. */
let perSecond: number;
let failing: { readonly main: number; readonly canary: number };
/** The new slot's share of what comes, per cent. */
let share: number;

const context = (rollout: RolloutConfig = {}) =>
  bench.context(templateConfig({ settle: 0, soak: 0, ...rollout }));
const began = Date.parse("2026-11-23T08:00:00Z");

/** What Traefik would have counted by now. */
function metrics(): string {
  const requests = (perSecond * (bench.clock.now() - began)) / 1000 + 10_000;
  const service = `${testNamespace}-fraud-fraud-blue-80`;
  const of = (suffix: string, count: number, failed: number) => {
    const label = `service="${service}${suffix}@kubernetesingressnginx"`;
    return [
      `traefik_service_requests_total{code="200",${label}} ${Math.round(count * (1 - failed))}`,
      `traefik_service_requests_total{code="500",${label}} ${Math.round(count * failed)}`,
      ...["0.1", "0.3", "+Inf"].map(
        (le) => `traefik_service_request_duration_seconds_bucket{le="${le}",${label}} ${Math.round(count)}`,
      ),
    ];
  };
  return [
    "process_start_time_seconds 1",
    "traefik_config_reloads_total 1",
    ...of("", requests * (1 - share / 100), failing.main),
    ...of("-canary", (requests * share) / 100, failing.canary),
  ].join("\n");
}

beforeEach(async () => {
  bench = await benchWithModel(templateConfig());
  perSecond = 100;
  failing = { main: 0.001, canary: 0.001 };
  share = 50;
  bench.cluster.put("/apis/networking.k8s.io/v1/ingressclasses/nginx", {
    metadata: { annotations: { [ingressMetricsAnnotation]: "http://10.0.0.7:9100/metrics" } },
  });
  bench.receive = () => ({ status: 200, body: metrics() });
});

async function planned(rollout: RolloutConfig) {
  const at = context(rollout);
  const { record, routing, observation } = await observeDeployed(at);
  return await planLive(at, { record, routing, observation });
}

const eventsOf = (type: string) => bench.events.filter((event) => event.type === type);

describe("a release with nothing configured but its steps", () => {
  test("is compared by itself, with whom it finds; a good one goes on", async () => {
    expect(await release(context({ steps: "50%:4m" }), to("fraud:2"))).toMatchObject({ kind: "live" });
    const said = eventsOf("verdict");
    expect(said).toContainEqual(
      expect.objectContaining({
        name: "traffic",
        verdict: "pass",
        evidence: expect.stringContaining("by Traefik (provider kubernetesIngressNGINX)"),
        data: expect.objectContaining({ source: expect.objectContaining({ where: "10.0.0.7:9100" }) }),
      }),
    );
    expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
  });

  test("with more errors is sent back", async () => {
    failing = { main: 0.001, canary: 0.1 };
    const end = await release(context({ steps: "50%:4m" }), to("fraud:2"));
    expect(end).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "gate-refused", message: expect.stringContaining("more errors than live") },
    });
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
  });

  test.each<[string, () => void, RegExp]>([
    [
      "too little traffic",
      () => {
        perSecond = 1;
      },
      /^not shown: errors from .* more requests/,
    ],
    [
      "nobody who counts",
      () => bench.cluster.remove("/apis/networking.k8s.io/v1/ingressclasses/nginx"),
      /^not shown: nobody was found who counts/,
    ],
    [
      "a controller that does not answer",
      () => {
        bench.receive = () => ({ status: 503, body: "" });
      },
      /HTTP 503/,
    ],
  ])("is not held by %s, and what was not shown is said", async (_what, make, expected) => {
    make();
    expect(await release(context({ steps: "50%:30s" }), to("fraud:2"))).toMatchObject({ kind: "live" });
    const last = eventsOf("verdict").findLast((event) => "name" in event && event.name === "traffic");
    expect(last).toMatchObject({ verdict: "inconclusive", evidence: expect.stringMatching(expected) });
    const journal = (await context().store.read())?.rollout?.journal;
    expect(journal).toContainEqual(expect.objectContaining({ kind: "gate", result: "inconclusive" }));
  });

  test("another share than declared sends nothing back", async () => {
    share = 20;
    expect(await release(context({ steps: "50%:4m" }), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(eventsOf("verdict")).toContainEqual(
      expect.objectContaining({
        name: "traffic",
        evidence: expect.stringContaining("20 % of the requests went to green"),
      }),
    );
  });
});

describe("where nobody counts", () => {
  const warmUp = { path: "/predict", body: { x: 1 } };

  test.each<[string, number, string]>([
    ["answers as live does", 200, "live"],
    ["does not answer", 500, "finished"],
  ])("requests of its own to both slots see whether a release %s", async (_what, status, kind) => {
    bench.cluster.remove("/apis/networking.k8s.io/v1/ingressclasses/nginx");
    const { intercept } = bench.cluster;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/proxy/predict")
        ? { status: 200, headers: {}, body: "{}" }
        : intercept?.(request);
    const asked = new Map<string, number>();
    bench.ask = ({ path, headers }) => {
      if (path !== "/predict") return undefined;
      const led = headers["X-Modelswitch-Preview"] ?? "as clients";
      asked.set(led, (asked.get(led) ?? 0) + 1);
      return { status: led === "always" ? status : 200, body: "{}" };
    };
    const began = bench.clock.now();
    const end = await release(context({ steps: "50%:3m", warmUp }), to("fraud:2"));
    expect(end, JSON.stringify(end)).toMatchObject({ kind });
    expect([...asked.keys()].toSorted()).toEqual(["always", "never"]);
    expect(asked.get("never")).toBe(asked.get("always"));
    // At most one a second to the live slot.
    expect(asked.get("never")).toBeLessThanOrEqual((bench.clock.now() - began) / 1000 + 1);
    expect(eventsOf("verdict")).toContainEqual(
      expect.objectContaining({
        evidence: expect.stringContaining("by modelswitch, by requests of its own"),
      }),
    );
  });
});

describe("steps: auto", { timeout: 120_000 }, () => {
  test("chooses shares and times by the traffic, and records them", async () => {
    const end = await release(context({ steps: "auto" }), to("fraud:2"));
    expect(end).toMatchObject({ kind: "live" });
    const steps = (await context().store.read())?.rollout?.plan.steps ?? [];
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.at(-1)).toMatchObject({ weight: 50, endsEarly: true });
    const times = steps.map(({ holdMs }) => holdMs);
    expect(Math.max(...times)).toBeLessThanOrEqual(20 * 60_000);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(60_000);
  });

  test("a step ends as soon as the release is shown to be as good as live", async () => {
    const begin = bench.clock.now();
    await release(context({ steps: "auto" }), to("fraud:2"));
    const steps = (await context().store.read())?.rollout?.plan.steps ?? [];
    const all = steps.reduce((sum, { holdMs }) => sum + holdMs, 0);
    expect(bench.clock.now() - begin).toBeLessThan(all);
  });

  test.each<[string, () => void, string]>([
    [
      "no request",
      () => {
        perSecond = 0;
      },
      "no request came in 5.0 s",
    ],
    [
      "nobody who counts",
      () => bench.cluster.remove("/apis/networking.k8s.io/v1/ingressclasses/nginx"),
      "nobody was found",
    ],
  ])("with %s is refused before anything is written, and plan says so", async (_what, make, why) => {
    make();
    await expect(release(context({ steps: "auto" }), to("fraud:2"))).rejects.toMatchObject({
      code: "steps-unknown",
      exitCode: 2,
      message: expect.stringContaining(why),
      hint: expect.stringContaining('--steps "100%"'),
    });
    expect((await context().store.read())?.rollout).toBeUndefined();
    const { lines } = describeLive(await planned({ steps: "auto" }));
    expect(lines[0]).toContain("clients' requests are not compared");
    expect(lines[1]).toContain("a release is refused (steps-unknown)");
  });
});

describe("what plan says of it", () => {
  test("what each step will be able to see, and which is too short", async () => {
    const plan = await planned({ steps: "5%:10s, 50%:20m" });
    const { lines, warnings } = describeLive(plan);
    expect(lines[0]).toMatch(
      /^Clients' requests are compared as Traefik \(provider kubernetesIngressNGINX\) counts them \(10.0.0.7:9100\): 100 requests\/s at present, errors 0.\d+ %, answers slower than 0.3 s/,
    );
    expect(lines.join("\n")).toMatch(
      /errors from 0.1\d* % to 0.6\d* % would be seen with 80 % after \d+ requests at 50 %/,
    );
    expect(warnings[0]).toMatch(
      /^The step of 5 % is too short to see errors .* it has 10 s, it needs .*; the release goes on without that\.$/,
    );
    expect(warnings.some((text) => text.includes("50 %:"))).toBe(false);
    expect(liveDocument(plan)).toMatchObject({
      compared: true,
      steps: [{ weight: 5, seconds: 10 }, { weight: 50 }],
    });
  });

  test("that clients who stay on their slot let the gate pass nothing", async () => {
    const plan = await planned({ steps: "50%:20m" });
    if (plan.kind !== "compared") throw new Error("something is compared here");
    expect(plan.isPinned).toBe(false);
    expect(describeLive({ ...plan, isPinned: true }).warnings[0]).toMatch(
      /^The gate traffic cannot pass this release while clients stay .* on without the rest\.$/,
    );
  });

  test("the steps that auto would choose", async () => {
    const { lines } = describeLive(await planned({ steps: "auto" }));
    expect(lines[1]).toMatch(/^ {2}Steps by this traffic: \d+ % for /);
  });

  test.each<[RolloutConfig, string]>([
    [{}, "in one jump"],
    [{ steps: "50%", gates: [] }, "switched off"],
    [{ steps: "50%", watchTraffic: false }, "switched off"],
  ])("%j: nothing is compared, and why", async (rollout, why) => {
    const { lines } = describeLive(await planned(rollout));
    expect(lines).toEqual([expect.stringContaining(why)]);
  });

  test("nothing is written", async () => {
    await planned({ steps: "auto" });
    const before = bench.cluster.requests.length;
    await planned({ steps: "auto" });
    const methods = bench.cluster.requests.slice(before).map(({ method }) => method);
    expect(new Set(methods)).toEqual(new Set(["GET"]));
  });
});

test("an older command's release goes on with the gates of this one", async () => {
  await up(context({ steps: "50%:4m" }), noFlags);
  expect(await release(context({ steps: "50%:4m" }), to("fraud:2"))).toMatchObject({ kind: "live" });
});
