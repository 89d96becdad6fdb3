import { beforeEach, describe, expect, test } from "vitest";
import { putSlot, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { UserError } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import { whileWatching } from "./slot-wait.ts";

let bench: TestBench;

beforeEach(() => {
  bench = testBench();
  putSlot(bench.cluster, "green", { replicas: 1 });
});

const missingImage = {
  containerStatuses: [
    { name: "model", image: "fraud:9", state: { waiting: { reason: "ErrImageNeverPull" } } },
  ],
};
const broken = { replicas: 1, ready: 0, podStatus: missingImage };

const started: Event = {
  type: "resource",
  operation: "update",
  urn: "urn",
  kind: "Deployment",
  name: "fraud-green",
  status: "started",
};

const watch = (work: Parameters<typeof whileWatching<string>>[3]) => {
  const location = { api: bench.cluster, namespace: testNamespace, model: "fraud", router: nginx };
  return whileWatching(bench.context(), location, ["green"], work);
};

/** Work that only ends when it is told to. */
const untilStopped = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));

describe("whileWatching", () => {
  test("stops the work as soon as a slot it changed can't become ready", async () => {
    const working = watch((signal, events) => {
      events(started);
      putSlot(bench.cluster, "green", broken);
      return untilStopped(signal);
    });
    await expect(working).rejects.toMatchObject({
      code: "slot-not-ready",
      message: expect.stringContaining("fraud:9 is not on the node"),
    });
    expect(bench.events).toContainEqual(started);
  });

  test("stops the work when the slot had its time", async () => {
    const working = watch((signal, events) => {
      events(started);
      putSlot(bench.cluster, "green", { replicas: 2, ready: 1, generation: 1 });
      return untilStopped(signal);
    });
    await expect(working).rejects.toThrow("did not become ready within 60 s");
  });

  test("while Pulumi waits, the pods say how it goes, and not the provider", async () => {
    const working = watch(async (_, events) => {
      events(started);
      putSlot(bench.cluster, "green", { replicas: 2, ready: 1, generation: 1 });
      events({ ...started, message: "Minimum number of live Pods was not attained" });
      await expect.poll(() => bench.events.length).toBeGreaterThan(1);
      putSlot(bench.cluster, "green", { replicas: 2 });
      events({ ...started, status: "done" });
      return "done";
    });
    expect(await working).toBe("done");
    expect(bench.events).toEqual([
      started,
      { ...started, message: expect.stringContaining("1 of 2 replicas ready") },
      { ...started, status: "done" },
    ]);
  });

  test("work that ends before what it changed is ready is waited for", async () => {
    const mended = bench.clock
      .whenPassed(30_000)
      .then(() => putSlot(bench.cluster, "green", { replicas: 2 }));
    const working = watch(async (_, events) => {
      events(started);
      putSlot(bench.cluster, "green", { replicas: 2, ready: 1, generation: 1 });
      return "done";
    });
    const startedAt = bench.clock.now();
    expect(await working).toBe("done");
    await mended;
    expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(30_000);
    expect(bench.events).toContainEqual(expect.objectContaining({ id: "ready-green", state: "done" }));
  });

  test("does not give up on what the work has not touched, or is about to mend", async () => {
    putSlot(bench.cluster, "green", broken);
    const startedAt = bench.clock.now();
    const working = watch(async () => {
      while (bench.clock.now() - startedAt < 300_000) await bench.clock.sleep(1_000);
      return "mended";
    });
    await expect(working).resolves.toBe("mended");
  });

  test("does not take a slot that is only read for changed: it may be mended after that", async () => {
    putSlot(bench.cluster, "green", broken);
    const startedAt = bench.clock.now();
    const working = watch(async (signal, events) => {
      events({ ...started, operation: "refresh" });
      while (bench.clock.now() - startedAt < 300_000) {
        signal.throwIfAborted();
        await bench.clock.sleep(1_000);
      }
      return "mended";
    });
    await expect(working).resolves.toBe("mended");
  });

  test("the work's own failure is passed on", async () => {
    await expect(watch(() => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
  });

  const failed = (resource: object) =>
    new UserError({
      code: "deployment-failed",
      message: "Minimum number of live Pods was not attained",
      details: { resources: [{ kind: "Deployment", name: "fraud-green", message: "", ...resource }] },
    });

  test("where the engine waited in vain, the slot says why, whatever is wrong with its pods", async () => {
    const working = watch(() => {
      putSlot(bench.cluster, "green", { replicas: 1, ready: 0 });
      return Promise.reject(failed({ unready: true }));
    });
    await expect(working).rejects.toMatchObject({
      code: "slot-not-ready",
      message: expect.stringContaining("0 of 1 replicas ready"),
    });
  });

  test("a slot that only starts does not hide why the engine failed otherwise", async () => {
    putSlot(bench.cluster, "green", { replicas: 1, ready: 0 });
    const working = watch(() => Promise.reject(failed({})));
    await expect(working).rejects.toMatchObject({ code: "deployment-failed" });
  });
});
