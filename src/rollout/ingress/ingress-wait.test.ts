import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import {
  json,
  refusal,
  type TestBench,
  testBench,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import { interrupted } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { up } from "../commands/up.ts";
import { locationOf } from "../context/deployed.ts";
import { whileIngressWaits } from "./ingress-wait.ts";
import { requireServed } from "./require-served.ts";

const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`;
let bench: TestBench;

const config = (ingress: object = {}) => ({
  ...templateConfig(),
  ingress: { host: "fraud.test", ...ingress },
  deadlines: { readyMs: 60_000, proofMs: 10_000 },
});
const classes = (...names: string[]) =>
  bench.cluster.put("/apis/networking.k8s.io/v1/ingressclasses", {
    items: names.map((name) => ({
      metadata: { name },
      spec: { controller: `example.com/${name}` },
    })) as never,
  });

beforeEach(() => {
  bench = testBench();
});

describe("the class of the Ingress", () => {
  test("that is not there is refused before anything is written", async () => {
    classes("traefik");
    await expect(up(bench.context(config()), noFlags)).rejects.toMatchObject({
      code: "ingress-class-missing",
      exitCode: 2,
      hint: expect.stringContaining("traefik"),
    });
    expect(bench.stack.operations).toEqual([]);
  });

  test("is not asked for where the Ingress has it already", async () => {
    await up(bench.context(config()), noFlags);
    classes("traefik");
    await up(bench.context(config()), noFlags);
    await expect(
      up(bench.context(config({ className: "treafik" })), { ...noFlags, allowLiveChange: true }),
    ).rejects.toMatchObject({
      code: "ingress-class-missing",
    });
  });

  test("that may not be listed, or that an annotation names, is said and no failure", async () => {
    const infos = () => bench.events.flatMap((event) => (event.type === "info" ? [event.code] : []));
    classes("traefik");
    await up(bench.context(config({ classAnnotation: true })), noFlags);
    expect(infos()).toEqual(["ingress-class-unknown"]);
    bench = testBench();
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/ingressclasses") ? refusal(403, "Forbidden") : others?.(request);
    await up(bench.context(config()), noFlags);
    expect(infos()).toEqual(["ingress-class-unknown"]);
  });

  const served = (className: string, controller: string) =>
    bench.cluster.put("/apis/networking.k8s.io/v1/ingressclasses", {
      items: [{ metadata: { name: className }, spec: { controller } }] as never,
    });
  const warnings = () => bench.events.flatMap((event) => (event.type === "warning" ? [event.code] : []));

  test("whose controller takes canary annotations for nothing is refused, and routers for it are named", async () => {
    served("edge", "haproxy.org/ingress-controller/edge");
    const wrong = config({ className: "edge" });
    await expect(up(bench.context(wrong), noFlags)).rejects.toMatchObject({
      code: "router-unread",
      exitCode: 2,
      message: expect.stringContaining("haproxy.org/ingress-controller/edge"),
      hint: expect.stringContaining("plain"),
    });
    expect(bench.stack.operations).toEqual([]);
    await up(bench.context({ ...wrong, router: "plain" }), noFlags);
  });

  test("whose controller nobody knows is nobody's mistake, and one that is live already is only warned of", async () => {
    served("nginx", "example.com/ours");
    await up(bench.context(config()), noFlags);
    expect(warnings()).toEqual([]);
    served("nginx", "traefik.io/ingress-controller");
    const before = bench.cluster.requests.length;
    await up(bench.context(config()), noFlags);
    // Class and router are those that were looked at when they were new.
    const later = bench.cluster.requests.slice(before).map(({ path }) => path);
    expect(later.filter((path) => path.endsWith("/ingressclasses"))).toEqual([]);
    const ingress = { name: "fraud", className: "nginx", tlsHosts: [], addresses: [] };
    await requireServed(bench.context(config()), { ingress });
    expect(warnings()).toEqual(["router-unread"]);
  });

  test("whose controller drops requests when a backend changes is not begun with by a router that changes it", async () => {
    served("edge", "ingress.k8s.aws/alb");
    const byBackend = { ...config({ className: "edge" }), router: "plain" } as const;
    await expect(up(bench.context(byBackend), noFlags)).rejects.toMatchObject({
      code: "backend-change-drops",
      exitCode: 2,
      hint: expect.stringContaining("alb"),
    });
    expect(bench.stack.operations).toEqual([]);
    served("edge", "k8s.io/ingress-gce");
    await up(bench.context(byBackend), noFlags);
    expect(warnings()).toEqual(["backend-change-drops"]);
    served("edge", "ingress.k8s.aws/alb");
    const ingress = { name: "fraud", className: "edge", tlsHosts: [], addresses: [] };
    await requireServed(bench.context(byBackend), { ingress });
    expect(warnings()).toEqual(["backend-change-drops", "backend-change-drops"]);
  });

  test("whose controller does not read an annotation is named with it", async () => {
    served("nginx", "k8s.io/ingress-nginx");
    const annotations = { "haproxy.org/timeout-server": "5s", "cert-manager.io/issuer": "x" };
    await up(bench.context(config({ annotations })), noFlags);
    const said = bench.events.filter((event) => event.type === "warning");
    expect(said).toMatchObject([
      { code: "annotation-ignored", message: expect.stringContaining("haproxy.org/timeout-server") },
    ]);
  });
});

describe("an Ingress that no controller serves", () => {
  const resource = (status: "started" | "done") =>
    ({
      type: "resource",
      operation: "create",
      urn: "",
      kind: "Ingress",
      name: "fraud",
      status,
    }) as const;
  /** Pulumi, which waits for an address until it is stopped. */
  const waits = async (signal: AbortSignal, events: EventSink): Promise<never> => {
    events(resource("started"));
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    throw interrupted("Pulumi");
  };
  const run = (work: (signal: AbortSignal, events: EventSink) => Promise<unknown>) => {
    const context = bench.context(config());
    const { signal, events } = context;
    return whileIngressWaits(context, locationOf(context, undefined), { signal, events }, work);
  };
  const warnings = () => bench.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

  test("is waited for as long as `deadlines.ready`, and it is said for what", async () => {
    classes("nginx");
    bench.cluster.put(path, { spec: { ingressClassName: "nginx" } as never });
    await expect(run(waits)).rejects.toMatchObject({
      code: "ingress-without-address",
      message: expect.stringContaining("the class nginx belongs to the controller example.com/nginx"),
    });
    expect(warnings()).toHaveLength(1);
  });

  test("is nobody's business once it has one, or Pulumi has done with it", async () => {
    bench.cluster.put(path, { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } });
    const quiet = async (_: AbortSignal, events: EventSink) => {
      events(resource("started"));
      await bench.clock.sleep(120_000);
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      return "done";
    };
    expect(await run(quiet)).toBe("done");
    bench.cluster.put(path, {});
    const done = async (_: AbortSignal, events: EventSink) => {
      events(resource("started"));
      events(resource("done"));
      return await quiet(_, () => undefined);
    };
    expect(await run(done)).toBe("done");
    expect(warnings()).toEqual([]);
  });

  test("a cluster that cannot be looked at is left to Pulumi", async () => {
    bench.cluster.intercept = () => json(500, { message: "away" });
    const fails = async (_: AbortSignal, events: EventSink) => {
      events(resource("started"));
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      throw new Error("Pulumi's own words");
    };
    await expect(run(fails)).rejects.toThrow("Pulumi's own words");
  });
});
