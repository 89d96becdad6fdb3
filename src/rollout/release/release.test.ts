import { beforeEach, describe, expect, test } from "vitest";
import {
  benchWithModel,
  noFlags,
  replicasNow,
  routingsOf,
  splitNow,
  templateConfig,
  to,
} from "../../../test/support/release-bench.ts";
import {
  denying,
  json,
  putSlot,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { control } from "../commands/steer.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;

const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));

const split = () => splitNow(context());

const replicas = () => replicasNow(context());

const routings = () => routingsOf(bench);

beforeEach(async () => {
  bench = await benchWithModel(templateConfig());
});

describe("release", () => {
  test("goes through its phases, keeps the old slot warm, and scales it down when the window has passed", async () => {
    const end = await release(context(), to("fraud:2"));
    expect(end).toMatchObject({ kind: "live", state: { release: 2, target: "green", phase: "scale-down" } });
    expect(await split()).toEqual({ blue: 0, green: 100 });
    expect(await replicas()).toEqual({ blue: 2, green: 2 });
    expect(routings()).toEqual(["blue|green@100", "green|green@100", "green|blue@0"]);

    expect(await resume(context(), "resume")).toMatchObject({ kind: "live" });
    bench.clock.pass(600_000);
    expect(await resume(context(), "reconcile")).toMatchObject({ kind: "finished", failure: undefined });
    expect(await replicas()).toEqual({ blue: 0, green: 2 });
    expect((await context().store.read())?.rollouts).toMatchObject([
      { kind: "release", release: 2, target: "green", outcome: "released", by: "ada@laptop" },
    ]);
    expect(await resume(context(), "reconcile")).toBe(undefined);
  });

  test("shifts in the steps that the configuration names", async () => {
    await release(context({ steps: "5%:2m, 25%:5m, 50%" }), to("fraud:2"));
    expect(routings().slice(0, 4)).toEqual([
      "blue|green@5",
      "blue|green@25",
      "blue|green@50",
      "blue|green@100",
    ]);
  });

  test("a share does not grow upon what an API server that lags behind still shows", async () => {
    const former = bench.cluster.intercept;
    bench.cluster.intercept = (request) => {
      const { path, query = {} } = request;
      const isNewest = path.endsWith("/endpointslices") && query.resourceVersionMatch === undefined;
      const isGreen = String(query.labelSelector).endsWith("green");
      const isGone = isNewest && isGreen && routings().includes("blue|green@5");
      return isGone ? json(200, { items: [] }) : former?.(request);
    };
    const end = await release(context({ steps: "5%:2m, 50%" }), to("fraud:2"));
    expect(end).toMatchObject({ state: { outcome: "aborted" } });
    expect(routings().slice(0, 2)).toEqual(["blue|green@5", "blue|green@0"]);
  });

  test("a second release supersedes the window of the first", async () => {
    await release(context(), to("fraud:2"));
    const end = await release(context(), to("fraud:3"));
    expect(end).toMatchObject({ kind: "live", state: { release: 3, target: "blue" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    const record = await context().store.read();
    expect(record?.rollouts).toMatchObject([{ release: 2, outcome: "released" }]);
    expect(record?.slots).toEqual({ blue: 3, green: 2 });
  });

  test("only the target is looked at anew on the way: a hotfix by hand on the live slot is not put back by it", async () => {
    bench.cluster.remove(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-green`);
    await release(context(), to("fraud:2"));
    const looks = bench.stack.operations.filter(({ name }) => name === "refresh");
    expect(looks.length).toBeGreaterThan(0);
    for (const { only } of looks) {
      expect(only?.length).toBeGreaterThan(0);
      expect(only?.filter(({ name }) => name !== "fraud-green")).toEqual([]);
    }
  });

  test("without what Pulumi waits by, an abort takes traffic back, and so does whoever resumes it", async () => {
    const stop = new AbortController();
    bench.afterMove = (routing) => {
      if (routing.weight === 5) stop.abort();
    };
    const stopped = { ...context({ steps: "5%:2m, 50%" }), signal: stop.signal };
    await release(stopped, to("fraud:2")).catch(() => undefined);
    expect(await split()).toEqual({ blue: 95, green: 5 });
    bench.afterMove = undefined;
    const former = bench.cluster.intercept;
    const denied = denying("endpoints");
    bench.cluster.intercept = async (request) => (await denied(request)) ?? (await former?.(request));
    await expect(control(context(), ["promote"])).rejects.toMatchObject({
      code: "permission-denied",
      exitCode: 2,
    });
    await expect(resume(context(), "resume")).rejects.toMatchObject({
      code: "permission-denied",
      exitCode: 2,
    });
    expect((await context().store.read())?.rollout?.requests).toEqual([]);
    await control(context(), ["abort"]);
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("pods that never get ready: nothing changes for clients, and the slot is emptied again", async () => {
    bench.stack.afterUp = ({ spec }) => {
      if (spec.slots.green.replicas === 0) return;
      putSlot(bench.cluster, "green", { replicas: 2, ready: 1, image: "fraud:2", release: 2 });
    };
    const end = await release(context(), to("fraud:2"));
    expect(end).toMatchObject({
      kind: "finished",
      state: { outcome: "aborted" },
      failure: { code: "slot-not-ready" },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
    expect(routings()).toEqual([]);
  });

  test("a step that cannot be proved is undone, and the rollout goes back", async () => {
    const answer = bench.answer;
    bench.answer = (header, host) => {
      const found = answer(header, host);
      return header === undefined && found.body.endsWith("green") ? { status: 503, body: "" } : found;
    };
    const end = await release(context(), to("fraud:2"));
    expect(end).toMatchObject({ state: { outcome: "aborted" }, failure: { code: "proof-failed" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
  });

  describe("of a server without HTTP, whose pods cannot be asked", () => {
    const marked = (image: string, mark: string) => ({ template: { image, replicas: 2, mark } });
    const grpcOnly = () => {
      const { template } = marked("fraud:1", "version of blue");
      const config = templateConfig({}, template);
      return bench.context({ ...config, server: { ...config.server, http: false } });
    };

    beforeEach(async () => {
      bench = testBench();
      await up(grpcOnly(), noFlags);
      bench.stack.operations.length = 0;
    });

    test("the mark that it says is proved before a client sees it; that nothing warms it up is said", async () => {
      expect(await release(grpcOnly(), marked("fraud:2", "version of green"))).toMatchObject({
        kind: "live",
      });
      expect(bench.events).toContainEqual(
        expect.objectContaining({
          id: "warm-up-green",
          state: "skipped",
          detail: expect.stringMatching(/HTTP/),
        }),
      );
    });

    test("a mark that is not true sends it back, with the one that was seen", async () => {
      const end = await release(grpcOnly(), marked("fraud:2", "9"));
      expect(end).toMatchObject({
        state: { outcome: "aborted" },
        failure: {
          code: "mark-untrue",
          message: expect.stringContaining(
            'The release in green says that its answers have the mark "9", but through the ingress they have "version of green"',
          ),
        },
      });
      // Clients stayed where they were all the time.
      expect(routings()).toEqual([]);
      expect(await replicas()).toEqual({ blue: 2, green: 0 });
    });

    test("one that has the live slot's answers says to look at the marks, too", async () => {
      bench.answer = () => ({ status: 200, body: "version of blue" });
      const { failure } = (await release(grpcOnly(), marked("fraud:2", "9"))) as { failure: object };
      expect(failure).toMatchObject({ code: "proof-failed", hint: expect.stringContaining("`mark`") });
    });
  });

  test("is refused while another one is in progress, and where nothing would change", async () => {
    await expect(release(context(), to("fraud:1"))).rejects.toMatchObject({
      code: "release-unchanged",
      exitCode: 2,
    });
    bench.stack.afterUp = () => bench.stop.abort();
    await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({
      code: "interrupted",
      exitCode: 130,
    });
    const signal = new AbortController().signal;
    await expect(release({ ...context(), signal }, to("fraud:3"))).rejects.toMatchObject({
      code: "rollout-in-progress",
      exitCode: 4,
    });
  });

  test("leaves alone what no `up` has applied, and says so: testers would be missed", async () => {
    const testers = { header: { name: "X-Modelswitch-Preview", value: "beta" } };
    const config = { ...templateConfig(), routing: { testers } };
    await release(bench.context(config), to("fraud:2"));
    const said = bench.events.filter((event) => "code" in event && event.code === "config-not-applied");
    expect(said).toMatchObject([{ message: expect.stringContaining("routing.testers") }]);
  });

  test("of what `slots` says is refused with the way to go", async () => {
    await expect(release(bench.context(testConfig()), to("fraud:2"))).rejects.toMatchObject({
      code: "form-without-releases",
    });
  });

  test("a warm-up request that fails ends it before any client is sent there", async () => {
    const intercept = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/proxy/predict")
        ? { status: 500, headers: {}, body: "no model" }
        : intercept?.(request);
    const end = await release(context({ warmUp: { path: "/predict", body: { x: 1 } } }), to("fraud:2"));
    expect(end).toMatchObject({ state: { outcome: "aborted" }, failure: { code: "warm-up-failed" } });
    expect(routings()).toEqual([]);
  });

  test("warms up every pod with the request of the configuration", async () => {
    const asked: string[] = [];
    const intercept = bench.cluster.intercept;
    bench.cluster.intercept = (request) => {
      if (!request.path.endsWith("/proxy/predict")) return intercept?.(request);
      expect(request).toMatchObject({ method: "POST", body: { x: 1 } });
      asked.push(request.path.split("/").find((part) => part.startsWith("fraud-green")) ?? "");
      return { status: 200, headers: {}, body: "{}" };
    };
    await release(context({ warmUp: { path: "/predict", body: { x: 1 } } }), to("fraud:2"));
    expect(new Set(asked)).toEqual(new Set(["fraud-green-0:8080", "fraud-green-1:8080", ""]));
    expect(asked.filter((pod) => pod !== "")).toHaveLength(20);
    // The live slot, which they are compared with.
    expect(asked.filter((pod) => pod === "")).toHaveLength(5);
  });

  test("a replica that is steady and much slower than the live slot is waited for, until the deadline", async () => {
    const coldMs = 30_000;
    const one = { image: "fraud:1", replicas: 1 };
    const config = templateConfig({ warmUp: { path: "/predict", body: { x: 1 } } }, one);
    bench = await benchWithModel(config);
    const asked: number[] = [];
    const intercept = bench.cluster.intercept;
    let from: number | undefined;
    bench.cluster.intercept = (request) => {
      if (!request.path.endsWith("/proxy/predict")) return intercept?.(request);
      const now = bench.clock.now();
      const isLive = request.path.includes("fraud-blue");
      from ??= now;
      if (!isLive) asked.push(now - from);
      bench.clock.pass(!isLive && now - from < coldMs ? 200 : 20);
      return { status: 200, headers: {}, body: "{}" };
    };
    const end = await release(bench.context(config), { template: { ...one, image: "fraud:2" } });
    expect(end).toMatchObject({ kind: "live" });
    expect(Math.max(...asked)).toBeGreaterThanOrEqual(coldMs);
    expect(Math.max(...asked)).toBeLessThan(coldMs + 10_000);
  });
});
