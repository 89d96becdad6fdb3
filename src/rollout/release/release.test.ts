import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
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
import type { ApiRequest } from "../../kubernetes/api.ts";
import { goBack } from "../commands/meant-by.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { modelStatus, type RolloutStatus } from "../commands/status.ts";
import { control } from "../commands/steer.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { askOf } from "./left-requests.ts";
import type { RolloutEnd } from "./rollout-end.ts";

let bench: TestBench;

const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));
const to = (image: string) => ({ template: { image, replicas: 2 } });
const split = () => splitNow(context());

async function replicas() {
  const { observation } = await observeDeployed(context());
  return {
    blue: observation.slots.blue.deployment?.desiredReplicas,
    green: observation.slots.green.deployment?.desiredReplicas,
  };
}

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  bench.stack.operations.length = 0;
  bench.moves.length = 0;
});

/** Every routing that was written, in order. */
function routings(): string[] {
  return bench.moves.map(({ main, candidate, weight }) => `${main}|${candidate}@${weight}`);
}

/** The routings that Pulumi was run with. */
function pulumis(): string[] {
  return bench.stack.operations.map(({ desired }) => {
    const { main, candidate, weight } = desired?.routing ?? { main: "?", candidate: "?", weight: -1 };
    return `${main}|${candidate}@${weight}`;
  });
}

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
    expect(new Set(asked)).toEqual(new Set(["fraud-green-0:8080", "fraud-green-1:8080"]));
    expect(asked).toHaveLength(20);
  });
});

describe("asked by somebody else", () => {
  test("a pause is heard between two steps; resumed, it goes on", async () => {
    bench.afterMove = async (routing) => {
      if (routing.weight === 25) await askOf(context(), ["pause"]);
    };
    const end = await release(context({ steps: "25%:1m, 50%" }), to("fraud:2"));
    expect(end).toMatchObject({ kind: "paused", state: { phase: "shift", stepIndex: 0 } });
    expect(await split()).toEqual({ blue: 75, green: 25 });
    await askOf(context(), ["resume"]);
    expect(await resume(context(), "resume")).toMatchObject({ kind: "live" });
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("a release whose answers look like the live one's is taken back by itself", async () => {
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/proxy/version")
        ? { status: 200, headers: {}, body: "same" }
        : others?.(request);
    bench.answer = () => ({ status: 200, body: "same" });
    const end = await release(context(), { template: { image: "fraud:2", replicas: 2 } });
    expect(end).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "slots-indistinguishable" },
    });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
    expect(routings()).toEqual([]);
  });

  test("an abort takes the traffic back and says who wanted it", async () => {
    bench.afterMove = async (routing) => {
      if (routing.weight === 25) await askOf(context(), ["abort"]);
    };
    const end = await release(context({ steps: "25%:1m, 50%" }), to("fraud:2"));
    expect(end).toMatchObject({ state: { outcome: "aborted", reason: "ada@laptop aborted it" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
  });

  test("nothing can be asked of what is not there", async () => {
    await expect(askOf(context(), ["abort"])).rejects.toMatchObject({ code: "rollout-missing" });
  });
});

describe("other commands", () => {
  test("leave a rollout alone that is on its way, and `status` shows it", async () => {
    let meanwhile: RolloutStatus | undefined;
    bench.afterMove = async (routing) => {
      if (routing.weight !== 25) return;
      await askOf(context(), ["pause"]);
      meanwhile = (await modelStatus(context())).rollout;
    };
    let inBetween: unknown;
    const others = bench.afterMove;
    bench.afterMove = async (routing) => {
      await others(routing);
      inBetween ??= await release(context(), to("fraud:3")).catch((error: unknown) => error);
    };
    await release(context({ steps: "25%" }), to("fraud:2"));
    expect(inBetween).toMatchObject({
      code: "rollout-in-progress",
      message: expect.stringContaining(
        "`modelswitch release` of ada@laptop (process 1 on laptop) works on it now",
      ),
      hint: expect.stringContaining("Wait for it"),
    });
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "rollout-in-progress",
      exitCode: 4,
      message: expect.stringContaining("No command works on it now."),
      hint: expect.stringContaining("`modelswitch resume` goes on"),
    });
    await expect(switchTraffic(context(), "green")).rejects.toMatchObject({ code: "rollout-in-progress" });
    expect(await modelStatus(context())).toMatchObject({
      split: { blue: 75, green: 25 },
      pending: undefined,
      rollout: { release: 2, target: "green", phase: "shift", paused: true, worksOnIt: null },
    });
    expect(meanwhile?.worksOnIt).toBe("`modelswitch release` of ada@laptop (process 1 on laptop)");
  });

  test("a switch within the rollback window ends the rollout", async () => {
    await release(context(), to("fraud:2"));
    await switchTraffic(context(), "blue");
    expect(await resume(context(), "reconcile")).toBe(undefined);
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect((await context().store.read())?.rollouts).toMatchObject([{ release: 2, outcome: "released" }]);
  });

  test("`up` keeps the size of a slot that was scaled down, and of one that is warm", async () => {
    await release(context(), to("fraud:2"));
    await up(context(), noFlags);
    expect(await replicas()).toEqual({ blue: 2, green: 2 });
    bench.clock.pass(600_000);
    await resume(context(), "reconcile");
    await up(context(), noFlags);
    expect(await replicas()).toEqual({ blue: 0, green: 2 });
  });
});

describe("rollback", () => {
  test("to the warm old slot is one shift, without a new deployment", async () => {
    await release(context(), to("fraud:2"));
    bench.stack.operations.length = 0;
    expect(await rollback(context())).toMatchObject({
      kind: "finished",
      state: { outcome: "released", target: "blue", release: 1 },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    // All of it by the API server alone; Pulumi follows at the end.
    expect(pulumis()).toEqual(["blue|green@0"]);
  });

  test("shifts by one apply of all that Pulumi's field manager owns, and Pulumi follows", async () => {
    await release(context(), to("fraud:2"));
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    const canary = bench.cluster.get(path);
    const fieldsV1 = {
      "f:metadata": {
        "f:annotations": Object.fromEntries(
          Object.keys(canary?.metadata?.annotations ?? {}).map((key) => [`f:${key}`, {}]),
        ),
      },
      "f:spec": { "f:ingressClassName": {}, "f:rules": {} },
    };
    const managedFields = [{ manager: "pulumi-kubernetes-1", operation: "Apply", fieldsV1 }];
    bench.cluster.put(path, { ...canary, metadata: { ...canary?.metadata, managedFields } });
    bench.stack.operations.length = 0;
    const intercept = bench.cluster.intercept;
    const applied: ApiRequest[] = [];
    bench.cluster.intercept = (request) => {
      if (request.method !== "PATCH") return intercept?.(request);
      applied.push(request);
      return intercept?.(request);
    };
    await rollback(context());
    expect(applied).toHaveLength(3);
    expect(applied.slice(0, 1)).toMatchObject([
      {
        path,
        query: { fieldManager: "pulumi-kubernetes-1", force: true },
        body: {
          kind: "Ingress",
          metadata: { annotations: { "nginx.ingress.kubernetes.io/canary-weight": "100" } },
          spec: { ingressClassName: "nginx" },
        },
      },
    ]);
    expect(pulumis()).toEqual(["blue|green@0"]);
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("to fewer pods than there should be: their share at once, the rest as they come or with `--now`, and says so", async () => {
    await release(context(), to("fraud:2"));
    bench.stack.afterUp = () =>
      putSlot(bench.cluster, "blue", { replicas: 2, ready: 1, image: "fraud:1", release: 1 });
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 1, image: "fraud:1", release: 1 });
    await expect(rollback(context())).rejects.toMatchObject({
      code: "rollback-unfinished",
      exitCode: 5,
      hint: expect.stringContaining("modelswitch resume"),
    });
    expect(await split()).toEqual({ blue: 50, green: 50 });
    expect(await goBack(context(), { now: true })).toMatchObject({ end: { state: { outcome: "released" } } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(bench.events).toContainEqual(expect.objectContaining({ code: "fewer-replicas" }));
  });

  test("to an older release puts it into the idle slot again", async () => {
    await release(context(), to("fraud:2"));
    await release(context(), to("fraud:3"));
    const end = await rollback(context(), { to: 1 });
    expect(end).toMatchObject({ state: { release: 4, target: "green", outcome: "released" } });
    const { observation } = await observeDeployed(context());
    expect(observation.slots.green.deployment).toMatchObject({ image: "fraud:1", release: 4 });
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("is refused where there is nothing to go back to", async () => {
    await expect(rollback(context())).rejects.toMatchObject({
      code: "rollback-impossible",
      exitCode: 2,
    });
    await expect(rollback(context(), { to: 1 })).rejects.toThrow("is live already");
    await expect(rollback(context(), { to: 9 })).rejects.toThrow("knows no release 9");
  });
});

describe("killed at any request to the API server or write of Pulumi's", () => {
  test("the next command converges, and traffic is always on a slot that serves", async () => {
    class Killed extends Error {}
    const steps = { steps: "25%:1s" };
    let survived = false;
    for (let at = 1; !survived; at += 1) {
      bench = testBench();
      await up(context(), noFlags);
      let calls = 0;
      let dead = false;
      const intercept = bench.cluster.intercept;
      // A process that is dead does nothing more, whatever it catches.
      const maybeDie = () => {
        calls += 1;
        if (calls >= at) dead = true;
        if (dead) throw new Killed("killed");
      };
      bench.cluster.intercept = (request) => {
        if (request.method !== "GET") maybeDie();
        else if (dead) throw new Killed("killed");
        return intercept?.(request);
      };
      bench.stack.beforeUp = maybeDie;
      bench.stack.afterUp = maybeDie;
      let end: RolloutEnd | undefined;
      try {
        end = await release(context(steps), to("fraud:2"));
        survived = true;
      } catch (error) {
        // What it writes last may be a word about it.
        expect(String(error)).toContain("killed");
      }
      bench.cluster.intercept = intercept;
      bench.stack.beforeUp = undefined;
      bench.stack.afterUp = undefined;
      bench.holderIsGone = true;
      bench.clock.pass(60_000);
      const now = await split();
      const { observation } = await observeDeployed(context());
      for (const slot of ["blue", "green"] as const) {
        if (now[slot] > 0) expect(observation.slots[slot].endpoints.ready.length).toBe(2);
      }
      if (end === undefined) {
        end = await resume(context(steps), "resume");
        // Killed before anything was recorded: there is nothing to resume.
        end ??= await release(context(steps), to("fraud:2"));
      }
      expect(end, `killed at call ${at}`).toMatchObject({ kind: "live" });
      expect(await split()).toEqual({ blue: 0, green: 100 });
      // Nothing says that something is left to do.
      expect((await context().store.read())?.applying, `killed at call ${at}`).toBe(false);
    }
  }, 120_000);
});
