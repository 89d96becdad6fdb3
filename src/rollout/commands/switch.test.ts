import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { noFlags } from "../../../test/support/release-bench.ts";
import {
  denying,
  json,
  putSlot,
  refusal,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import { interrupted, UserError } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import { settledOn } from "../../core/routing.ts";
import { abortableReads } from "../../kubernetes/abortable.ts";
import { observeDeployed } from "../context/deployed.ts";
import { withLockOrAsk } from "../lock/lock.ts";
import { inProgress } from "../record/in-progress.ts";
import { askOf } from "../release/left-requests.ts";
import { meantBy } from "./meant-by.ts";
import { resume } from "./release.ts";
import { switchTraffic } from "./switch.ts";
import { up } from "./up.ts";

let bench: TestBench;

beforeEach(async () => {
  bench = testBench();
  await up(bench.context(), noFlags);
  bench.stack.operations.length = 0;
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

  test("refuses a slot that never becomes ready, and changes nothing", async () => {
    putSlot(bench.cluster, "green", { replicas: 2, ready: 1 });
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("slot-not-ready");
    expect(error.message).toContain("1 of 2 replicas ready");
    expect(bench.stack.operations).toEqual([]);
  });

  test("looks at readiness again right before the traffic moves", async () => {
    bench.cluster.intercept = wrap(bench, (request) => {
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

  test("undoes a step that cannot be proved, and says what was seen", async () => {
    const obey = bench.answer;
    bench.answer = (header, host) => {
      const answer = obey(header, host);
      return header === undefined && answer.body === "version of green" ? { status: 503, body: "" } : answer;
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({
      code: "proof-failed",
      exitCode: 1,
      details: { step: "shift", undone: true, proved: true },
    });
    expect(error.message).toContain("HTTP 503 without an identity");
    expect(error.message).toContain("traffic is on blue");
    expect(bench.moves).toEqual([{ main: "blue", candidate: "green", weight: 100 }, settledOn("blue")]);
  });

  test("does not undo towards a slot that has no ready pod", async () => {
    bench = testBench();
    const config = testConfig({ router: "plain" });
    await up(bench.context(config), noFlags);
    bench.afterMove = () => {
      putSlot(bench.cluster, "blue", { replicas: 2, ready: 0 });
      bench.answer = () => ({ status: 503, body: "" });
    };
    const error = await failureOf(switchTraffic(bench.context(config), "green"));
    expect(error).toMatchObject({ code: "proof-failed", details: { undone: false, proved: false } });
    expect(error.message).toContain("It was not undone, since blue has no ready pod: traffic is on green.");
    expect(bench.moves).toEqual([settledOn("green")]);
  });

  test("does not undo what somebody else has changed in the meantime", async () => {
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    bench.answer = (header) => {
      if (bench.moves.length === 0)
        return { status: 200, body: `version of ${header === "always" ? "green" : "blue"}` };
      const canary = bench.cluster.get(path);
      const annotations = {
        ...canary?.metadata?.annotations,
        "nginx.ingress.kubernetes.io/canary-weight": "30",
      };
      bench.cluster.put(path, { ...canary, metadata: { ...canary?.metadata, annotations } });
      return { status: 503, body: "" };
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "undo-failed", details: { undone: false } });
    expect(error.message).toContain("changed by somebody else");
    expect(bench.moves).toHaveLength(1);
  });

  test("a stop during the look at what was written does not leave it unproved", async () => {
    const context = bench.context();
    bench.cluster.intercept = wrap(bench, async ({ method, path, signal }) => {
      if (bench.moves.length === 0 || method !== "GET" || !path.includes("/ingresses/")) return undefined;
      bench.stop.abort();
      if (signal?.aborted) throw interrupted("A request to the API server");
      return undefined;
    });
    const api = abortableReads(bench.cluster, bench.stop.signal);
    const error = await failureOf(switchTraffic({ ...context, api }, "green"));
    expect(error).toMatchObject({ exitCode: 130, hint: expect.stringContaining("Traffic is on green") });
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: "step", id: "prove-shift", state: "done" }),
    );
  });

  test("a slot whose endpoints are no pods is refused: its answers could not be recognised", async () => {
    putSlot(bench.cluster, "green", { replicas: 1, image: null });
    bench.cluster.remove(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-green`);
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}/pods/fraud-green-0`);
    bench.cluster.put(`/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices/fraud-green-x`, {
      metadata: { labels: { "kubernetes.io/service-name": "fraud-green" } },
      endpoints: [{ addresses: ["10.1.1.1"], conditions: { ready: true } }],
    });
    const config = testConfig({ runs: { form: "slots", slots: { blue: {}, green: {} } } });
    const record = await bench.context().store.read();
    if (record === undefined) throw new Error("up wrote a record");
    const releases = record.releases.map((release) => ({ ...release, spec: {} }));
    await bench.context().store.update((present) => present && { ...present, releases });
    const error = await failureOf(switchTraffic(bench.context(config), "green"));
    expect(error).toMatchObject({ code: "slots-indistinguishable", exitCode: 2 });
    expect(bench.moves).toEqual([]);
  });

  test("does not wait for a Service that nobody is going to make", async () => {
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}/services/fraud-blue`);
    const startedAt = bench.clock.now();
    const error = await failureOf(switchTraffic(bench.context(), "blue"));
    expect(error).toMatchObject({ code: "slot-not-ready", hint: expect.stringContaining("modelswitch up") });
    expect(bench.clock.now() - startedAt).toBeLessThan(5_000);
  });

  test("continues from whatever a killed run left", async () => {
    for (const left of [1, 2, 3]) {
      bench = testBench();
      await up(bench.context(), noFlags);
      // The write is there, the process is not: nothing was proved or remembered.
      bench.afterMove = () => {
        if (bench.moves.length === left) throw new Error("killed");
      };
      const podProxy = bench.cluster.intercept;
      bench.cluster.intercept = (request) => {
        if (bench.moves.length >= left) throw new Error("killed");
        return podProxy?.(request);
      };
      await expect(switchTraffic(bench.context(), "green")).rejects.toThrow("killed");
      bench.cluster.intercept = podProxy;
      bench.afterMove = undefined;
      bench.holderIsGone = true;
      const record = await bench.context().store.read();
      expect(meantBy(record, { slot: "blue" })).toBe("abort");
      expect(await switchTraffic(bench.context(), "green")).toMatchObject({
        target: "green",
        alreadyThere: false,
      });
      const { routing } = await observeDeployed(bench.context());
      expect(routing).toEqual(settledOn("green"));
      expect(bench.stack.operations.at(-1)).toMatchObject({ desired: { routing } });
      expect((await bench.context().store.read())?.history).toMatchObject([{ to: "green" }]);
    }
  });

  test("one that is on its way back, and cannot end, is replaced by one to the other slot", async () => {
    bench.afterMove = async () => {
      bench.afterMove = undefined;
      await askOf(bench.context(), ["abort"]);
    };
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "passphrase-wrong", message: "The passphrase is wrong.", exitCode: 2 });
    };
    const unfinished = await failureOf(switchTraffic(bench.context(), "green"));
    expect(unfinished).toMatchObject({ code: "rollback-unfinished", exitCode: 5 });
    expect((await observeDeployed(bench.context())).routing.main).toBe("blue");
    bench.stack.beforeUp = undefined;
    expect(await switchTraffic(bench.context(), "green")).toMatchObject({ routing: settledOn("green") });
    expect(bench.stack.operations.at(-1)).toMatchObject({ desired: { routing: settledOn("green") } });
  });

  test("without a configuration file it is proved beforehand like any other", async () => {
    bench.answer = () => ({ status: 200, body: "version of blue" });
    const config = { ...testConfig(), remembered: true as const };
    const error = await failureOf(switchTraffic(bench.context(config), "green"));
    expect(error.code).toBe("preview-unproved");
    expect(bench.moves).toEqual([]);
  });

  test("whoever wants the traffic back is heard while Pulumi's state follows", async () => {
    bench.beats = true;
    let opened = false;
    // Its own time passes slowly: the other command has all it needs.
    const clock = {
      now: () => bench.clock.now(),
      sleep: async (_ms: number, signal?: AbortSignal) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        await bench.clock.sleep(10, signal);
      },
    };
    const context = { ...bench.context(), clock };
    const openStack: typeof context.openStack = async (signal) => {
      opened = true;
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(interrupted("Pulumi"))));
      return bench.stack;
    };
    // What is looked for before the lock is there.
    const started = switchTraffic(
      {
        ...context,
        openStack: (signal) => (bench.moves.length === 0 ? context.openStack(signal) : openStack(signal)),
      },
      "green",
    );
    const ended = failureOf(started);
    await expect.poll(() => opened).toBe(true);
    await withLockOrAsk(bench.context().lockOptions("rollback"), "abort", () => Promise.resolve());
    expect(await ended).toMatchObject({ code: "state-behind", exitCode: 5, details: { cause: "made-way" } });
    expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("green"));
  });

  test("a run of Pulumi that failed after traffic moved leaves it there, and `resume` finishes it", async () => {
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "passphrase-wrong", message: "The passphrase is wrong.", exitCode: 2 });
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({
      code: "state-behind",
      exitCode: 5,
      message: expect.stringContaining("on green, proved, and stays there"),
      hint: expect.stringContaining("`modelswitch resume`"),
    });
    expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("green"));
    bench.stack.beforeUp = undefined;
    expect(await resume(bench.context(), "resume")).toMatchObject({ kind: "finished" });
    expect(bench.stack.operations).toMatchObject([{ name: "up", desired: { routing: settledOn("green") } }]);
  });

  test("an API server that fails for a moment after a write does not keep it from being proved", async () => {
    let refusals = 0;
    bench.afterMove = () => {
      refusals = 3;
    };
    const podProxy = bench.cluster.intercept;
    bench.cluster.intercept = async (request) => {
      if (!request.path.endsWith("/ingresses/fraud") || refusals === 0) return await podProxy?.(request);
      refusals -= 1;
      return { status: 503, headers: {}, body: "{}" };
    };
    const result = await switchTraffic(bench.context(), "green");
    expect(result.routing).toEqual(settledOn("green"));
    expect(result.steps.map(({ name }) => name)).toEqual(["shift", "commit", "re-arm"]);
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

  test("a stop takes effect between steps and says where traffic is", async () => {
    bench.afterMove = () => bench.stop.abort();
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "interrupted", exitCode: 130 });
    expect(error.hint).toContain("`modelswitch resume` finishes it");
    expect(error.hint).toContain("Traffic is on green");
    expect(bench.moves).toEqual([{ main: "blue", candidate: "green", weight: 100 }]);
  });

  test("a stop while waiting changes nothing", async () => {
    putSlot(bench.cluster, "green", { replicas: 2, ready: 1 });
    const context = bench.context();
    const events = (event: Event) => {
      if (event.type === "step" && event.state === "progress") bench.stop.abort();
    };
    const error = await failureOf(switchTraffic({ ...context, events }, "green"));
    expect(error).toMatchObject({ exitCode: 130, hint: "Nothing was changed: traffic is on blue." });
    expect(bench.stack.operations).toEqual([]);
    // It is over, and holds nothing up.
    const record = await context.store.read();
    expect(inProgress(record)).toBeUndefined();
    expect(record?.history).toEqual([]);
  });

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

  test("a second command is told who works, with exit code 4", async () => {
    bench.beats = true;
    let second: Promise<UserError> | undefined;
    bench.stack.beforeUp = async () => {
      second ??= failureOf(switchTraffic(bench.context(), "blue"));
      await second;
    };
    await switchTraffic(bench.context(), "green");
    const error = await second;
    expect(error).toMatchObject({ code: "model-locked", exitCode: 4 });
    expect(error?.message).toContain(
      "ada@laptop (process 1 on laptop) is running `modelswitch switch green`",
    );
  });

  test("a lock of Pulumi's leaves the traffic where it is, and is named", async () => {
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "stack-locked", message: "bob", exitCode: 4 });
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "state-behind", exitCode: 5, details: { cause: "stack-locked" } });
    expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("green"));
  });

  test("routing that somebody changes in between is not overwritten", async () => {
    const main = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`;
    const context = bench.context();
    const events = (event: Event) => {
      // Right after the shift was proved somebody deletes the Ingress.
      if (event.type === "step" && event.id === "prove-shift" && event.state === "done")
        bench.cluster.remove(main);
    };
    const error = await failureOf(switchTraffic({ ...context, events }, "green"));
    expect(error.code).toBe("routing-unreadable");
    expect(bench.moves).toHaveLength(1);
  });

  test("slots that answer alike are refused with ways to mend it", async () => {
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? { status: 200, headers: {}, body: "same" } : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "slots-indistinguishable", exitCode: 2 });
    expect(error.hint).toContain("a response header");
  });

  test("goes away from a slot whose pods are gone", async () => {
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 0 });
    const result = await switchTraffic(bench.context(), "green");
    expect(result.routing).toEqual(settledOn("green"));
    expect(bench.events).toContainEqual(expect.objectContaining({ code: "live-slot-bad" }));
  });

  test("without a deployment there is nothing to switch", async () => {
    bench = testBench();
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "not-deployed" });
    expect(error.hint).toContain("modelswitch up");
  });

  test("a pod that cannot be asked is no pod without an identity", async () => {
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? refusal(502, "BadGateway", "no route to the pod") : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("pod-proxy-failed");
    expect(error.hint).toContain("konnectivity");
  });

  test("who may not ask pods is told which permission that is", async () => {
    const said = `pods "fraud-green-0:8080" is forbidden: User "ada" cannot get resource "pods/proxy" in API group "" in the namespace "${testNamespace}"`;
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? refusal(403, "Forbidden", said) : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({
      code: "permission-denied",
      message: `The account ada may not get pods/proxy "fraud-green-0:8080" in the namespace ${testNamespace}.`,
    });
    expect(error.hint).toContain("modelswitch rbac");
  });

  test("without what Pulumi waits by, traffic leaves a slot that is bad, and no other", async () => {
    bench.cluster.intercept = wrap(bench, denying("endpoints"));
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "permission-denied", exitCode: 2 });
    expect(error.message).toContain("may not list endpoints");
    expect(bench.stack.operations).toEqual([]);
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 0 });
    expect((await switchTraffic(bench.context(), "green")).routing).toEqual(settledOn("green"));
  });

  test("permissions that are missing are said before anything is written, all at once", async () => {
    const patches = (body: unknown) => {
      const { spec } = body as { spec: { resourceAttributes: { verb: string } } };
      return spec.resourceAttributes.verb === "patch";
    };
    const before = bench.cluster.intercept;
    bench.cluster.intercept = (request) => {
      if (request.path.endsWith("/selfsubjectrulesreviews")) return json(201, { status: {} });
      if (request.path.endsWith("/selfsubjectaccessreviews"))
        return json(201, { status: { allowed: !patches(request.body) } });
      return before?.(request);
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "permission-denied", exitCode: 2 });
    expect(error.message).toContain('may not patch ingresses.networking.k8s.io "fraud", "fraud-canary"');
    expect(bench.stack.operations).toEqual([]);
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

function wrap(
  target: TestBench,
  extra: NonNullable<TestBench["cluster"]["intercept"]>,
): NonNullable<TestBench["cluster"]["intercept"]> {
  const before = target.cluster.intercept;
  return async (request) => (await extra(request)) ?? (await before?.(request));
}
