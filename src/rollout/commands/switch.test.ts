import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { benchWithModel, noFlags } from "../../../test/support/release-bench.ts";
import {
  intercepting,
  putSlot,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import type { Event } from "../../core/events.ts";
import { settledOn } from "../../core/routing.ts";
import { observeDeployed } from "../context/deployed.ts";
import { inProgress } from "../record/in-progress.ts";
import { switchTraffic } from "./switch.ts";
import { up } from "./up.ts";

let bench: TestBench;

beforeEach(async () => {
  bench = await benchWithModel();
});

describe("switch", () => {
  test("shifts, commits and re-arms, each through one write", async () => {
    const result = await switchTraffic(bench.context(), "green");
    expect(result.steps.map(({ name }) => name)).toEqual(["shift", "commit", "re-arm"]);
    expect(bench.moves).toEqual([
      { main: "blue", candidate: "green", weight: 100 },
      { main: "green", candidate: "green", weight: 100 },
      { main: "green", candidate: "blue", weight: 0 },
    ]);
    // Pulumi's state follows in one run.
    expect(bench.stack.operations).toMatchObject([{ name: "up", desired: { routing: settledOn("green") } }]);
    expect(result).toMatchObject({ from: "blue", alreadyThere: false, routing: settledOn("green") });
    expect(result.steps.every(({ probes }) => probes >= 30)).toBe(true);
    const record = await bench.context().store.read();
    expect(record?.history).toMatchObject([{ from: "blue", to: "green", by: "ada@laptop" }]);
    expect(record?.rollout).toBeUndefined();
  });

  test("says so when traffic is there already, and proves it", async () => {
    const result = await switchTraffic(bench.context(), "blue");
    expect(result).toMatchObject({ alreadyThere: true, steps: [] });
    expect(bench.stack.operations).toEqual([]);
  });

  test("with the plain router it is one write", async () => {
    bench = testBench();
    const config = testConfig({ router: "plain" });
    await up(bench.context(config), noFlags);
    const result = await switchTraffic(bench.context(config), "green");
    expect(result.steps.map(({ name }) => name)).toEqual(["switch"]);
  });

  test("looks at readiness again right before the traffic moves", async () => {
    bench.cluster.intercept = intercepting(bench, (request) => {
      // The preview is proved just before: one replica dies at that moment.
      if (request.path.includes("/pods/fraud-green-0:"))
        putSlot(bench.cluster, "green", { replicas: 2, ready: 1 });
      return undefined;
    });
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("slot-not-ready");
    expect(bench.moves).toEqual([]);
  });

  test("does not begin when the preview does not reach the target", async () => {
    bench.answer = (header) => ({
      status: 200,
      body: header === "always" ? "version of blue" : "version of blue",
    });
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("preview-unproved");
    expect(error.message).toContain("an answer of blue (version of blue)");
    expect(bench.stack.operations).toEqual([]);
  });

  test("does not wait for a Service that nobody is going to make", async () => {
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}/services/fraud-blue`);
    const startedAt = bench.clock.now();
    const error = await failureOf(switchTraffic(bench.context(), "blue"));
    expect(error).toMatchObject({ code: "slot-not-ready", hint: expect.stringContaining("modelswitch up") });
    expect(bench.clock.now() - startedAt).toBeLessThan(5_000);
  });

  test("without a configuration file it is proved beforehand like any other", async () => {
    bench.answer = () => ({ status: 200, body: "version of blue" });
    const config = { ...testConfig(), remembered: true as const };
    const error = await failureOf(switchTraffic(bench.context(config), "green"));
    expect(error.code).toBe("preview-unproved");
    expect(bench.moves).toEqual([]);
  });

  test("a share that somebody gave by hand is taken back, whatever Pulumi's state believes", async () => {
    // Somebody shifted by hand; the state still says weight 0, which is what `switch blue` wants.
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    const canary = bench.cluster.get(path);
    bench.cluster.put(path, {
      ...canary,
      metadata: {
        ...canary?.metadata,
        annotations: { ...canary?.metadata?.annotations, "nginx.ingress.kubernetes.io/canary-weight": "100" },
      },
    });
    const result = await switchTraffic(bench.context(), "blue");
    expect(result.steps.map(({ name }) => name)).toEqual(["re-arm"]);
    expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("blue"));
    expect(result.from).toBe("green");
  });

  test.each(["1000", "10"])(
    "a total of %s that somebody gave the share by hand is gone with the first write",
    async (total) => {
      const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
      const prefix = "nginx.ingress.kubernetes.io";
      const annotationsNow = () => bench.cluster.get(path)?.metadata?.annotations ?? {};
      const added = { [`${prefix}/canary-weight-total`]: total, [`${prefix}/canary-weight`]: "5" };
      const canary = bench.cluster.get(path);
      bench.cluster.put(path, {
        ...canary,
        metadata: { ...canary?.metadata, annotations: { ...annotationsNow(), ...added } },
      });
      expect((await observeDeployed(bench.context())).routing.weight).toBe(total === "10" ? 50 : 0.5);
      await switchTraffic(bench.context(), "green");
      expect(bench.moves.at(0)).toEqual({ main: "blue", candidate: "green", weight: 100 });
      expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("green"));
      expect([undefined, "100"]).toContain(annotationsNow()[`${prefix}/canary-weight-total`]);
    },
  );

  test("what the configuration says beyond the traffic is left alone, and said", async () => {
    const config = testConfig({ ingress: { host: "new.test" } });
    const result = await switchTraffic(bench.context(config), "green");
    expect(result.routing).toEqual(settledOn("green"));
    expect(bench.stack.operations.every(({ desired }) => desired?.spec.ingress.host === "fraud.test")).toBe(
      true,
    );
    expect(bench.events).toContainEqual(
      expect.objectContaining({
        code: "config-not-applied",
        message: expect.stringContaining("ingress.host: fraud.test -> new.test"),
      }),
    );
  });

  test("goes away from a slot whose pods are gone", async () => {
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 0 });
    const result = await switchTraffic(bench.context(), "green");
    expect(result.routing).toEqual(settledOn("green"));
    expect(bench.events).toContainEqual(expect.objectContaining({ code: "live-slot-bad" }));
  });
});

describe("switch in the template form", () => {
  const template = (idleReplicas: number) =>
    testConfig({ runs: { form: "template", release: { image: "fraud:1", replicas: 3 }, idleReplicas } });

  test("an empty slot is refused with what to do", async () => {
    bench = testBench();
    await up(bench.context(template(0)), noFlags);
    const error = await failureOf(switchTraffic(bench.context(template(0)), "green"));
    expect(error).toMatchObject({ code: "slot-empty", exitCode: 2 });
    expect(error.message).toBe("green runs no release, so it cannot take the traffic of fraud.");
    expect(error.hint).toContain("`modelswitch release --set image=IMAGE`");
    expect(error.hint).toContain("idleReplicas");
  });

  test("a slot that idles small is brought to its full size first", async () => {
    bench = testBench();
    const context = bench.context(template(1));
    await up(context, noFlags);
    bench.stack.operations.length = 0;
    const result = await switchTraffic(context, "green");
    expect(result.routing).toEqual(settledOn("green"));
    expect(bench.stack.operations[0]).toMatchObject({
      name: "up",
      desired: { routing: settledOn("blue"), spec: { slots: { green: { replicas: 3, release: 1 } } } },
    });
    expect(await context.store.read()).toMatchObject({ slots: { blue: 1, green: 1 }, applying: false });
  });

  test("stopped before it did anything, it leaves the slot without a release, as it was", async () => {
    bench = testBench();
    const context = bench.context(template(1));
    await up(context, noFlags);
    const before = await context.store.read();
    const events = (event: Event) => {
      if (event.type === "step" && event.id === "deploy-green") bench.stop.abort();
    };
    const { signal } = bench.stop;
    const error = await failureOf(switchTraffic({ ...context, events, signal }, "green"));
    expect(error.exitCode).toBe(130);
    const after = await { ...bench.context(template(1)), signal: new AbortController().signal }.store.read();
    // Either nothing was done, or the switch is on its way and says so.
    if (inProgress(after) === undefined) expect(after).toEqual(before);
    else expect(error.hint).toContain("`modelswitch resume` finishes it");
  });
});
