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
  bench = await benchWithModel();
});

describe("a switch that is interrupted", () => {
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
    bench.cluster.intercept = intercepting(bench, async ({ method, path, signal }) => {
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
});
