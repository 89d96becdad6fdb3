import { beforeEach, describe, expect, test } from "vitest";
import { ada, bob, LockBench, leasePath as path } from "../../../test/support/lock-bench.ts";
import type { FakeClock, FakeCluster } from "../../../test/support/rollout-bench.ts";
import { interrupted } from "../../core/errors.ts";
import type { LeaseRequest } from "./lease-requests.ts";
import { type Lock, withLock, withLockInTurn, withLockOrAsk } from "./lock.ts";

let bench: LockBench;
let cluster: FakeCluster;
let clock: FakeClock;

beforeEach(() => {
  bench = new LockBench();
  ({ cluster, clock } = bench);
});

function holderNow(): unknown {
  const spec = cluster.get(path)?.spec as { readonly holderIdentity?: string } | undefined;
  return JSON.parse(spec?.holderIdentity ?? "null");
}

describe("requests to the holder", () => {
  /** A holder whose heart beats when others make time pass. */
  function holding(work: Parameters<typeof withLock>[1]): Promise<unknown> {
    const passive = { now: () => clock.now(), sleep: clock.whenPassed.bind(clock) };
    return withLock(bench.options(bob, { clock: passive }), work);
  }

  test("a living holder shows itself when it is asked to, long before its next heartbeat", async () => {
    let end = () => {};
    const working = holding(() => new Promise<void>((resolve) => (end = resolve)));
    await expect.poll(() => cluster.get(path)).toBeDefined();
    const startedAt = clock.now();
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
    expect(clock.now() - startedAt).toBeLessThan(1_000);
    end();
    await working;
    expect(cluster.get(path)).toBeUndefined();
  });

  test("it hears an abort within half a second, and whoever asked knows", async () => {
    const heard: (LeaseRequest & { readonly heardAt: number })[] = [];
    let end = () => {};
    const working = holding((lock) => {
      lock.hear((request) => heard.push({ ...request, heardAt: clock.now() }));
      return new Promise<void>((resolve) => (end = resolve));
    });
    await expect.poll(() => cluster.get(path)).toBeDefined();
    const startedAt = clock.now();
    const asked = await withLockOrAsk(bench.options(ada), "abort", () => Promise.resolve("held"));
    expect(asked).toMatchObject({
      kind: "alive",
      heard: true,
      lock: { who: "bob@desk (process 20 on desk)" },
    });
    expect(heard).toMatchObject([{ kind: "abort", by: "ada@laptop" }]);
    expect((heard[0]?.heardAt ?? 0) - startedAt).toBeLessThanOrEqual(500);
    end();
    await working;
  });

  test("what nobody listens to is not said to be heard", async () => {
    let end = () => {};
    const working = holding(() => new Promise<void>((resolve) => (end = resolve)));
    await expect.poll(() => cluster.get(path)).toBeDefined();
    const asked = await withLockOrAsk(bench.options(ada), "abort", () => Promise.resolve("held"));
    expect(asked).toMatchObject({ kind: "alive", heard: false });
    end();
    await working;
  });

  /** Somebody who leads traffic back. */
  const patient = { events: () => undefined, patienceMs: 60_000 };
  const wayBack = () => withLockInTurn(bench.options(ada), patient, () => Promise.resolve("back"));

  /** A command that ends when it makes way. */
  async function endedByLock(lock: Lock): Promise<void> {
    await new Promise<void>((resolve) => lock.signal.addEventListener("abort", () => resolve()));
    throw interrupted("The engine");
  }

  test("a way back asks it to make way, and takes its turn when it has", async () => {
    let isOver = false;
    const working = withLock(bench.options(bob), async (lock) => {
      lock.yieldTo(({ kind }) => kind === "abort");
      await endedByLock(lock).finally(() => {
        isOver = true;
      });
    });
    const made = expect(working).rejects.toMatchObject({ code: "made-way", exitCode: 4 });
    await expect.poll(() => cluster.get(path)).toBeDefined();
    const turn = await withLockInTurn(bench.options(ada), patient, () => Promise.resolve(isOver));
    expect(turn).toBe(true);
    await made;
  });

  test("what was done before it could make way is not denied", async () => {
    const working = holding(async (lock) => {
      lock.yieldTo(() => true);
      await endedByLock(lock).catch(() => undefined);
      return "done";
    });
    await expect.poll(() => cluster.get(path)).toBeDefined();
    expect(await wayBack()).toBe("back");
    expect(await working).toBe("done");
  });

  test("once it has closed the way back, whoever needs one is refused at once, with why", async () => {
    let end = () => {};
    const working = holding(async (lock) => {
      lock.yieldTo(() => true);
      await lock.close("it is being destroyed");
      await new Promise<void>((resolve) => (end = resolve));
      expect(lock.signal.aborted).toBe(false);
    });
    await expect.poll(() => cluster.get(path)?.metadata?.annotations).toBeDefined();
    const startedAt = clock.now();
    await expect(wayBack()).rejects.toMatchObject({
      code: "way-back-closed",
      exitCode: 4,
      message: expect.stringMatching(
        /^There is no way back for fraud: it is being destroyed, by `modelswitch up`/,
      ),
    });
    expect(clock.now() - startedAt).toBeLessThan(1_000);
    end();
    await working;
    // Whoever comes next makes way again.
    await withLock(bench.options(bob), async () => {
      expect(cluster.get(path)?.metadata?.annotations).toBeUndefined();
    });
  });

  test("what was asked before the way back is closed was asked in time", async () => {
    const asked = { id: "1", kind: "abort", by: "ada@laptop", at: "" };
    const working = holding(async (lock) => {
      lock.yieldTo(() => true);
      const lease = cluster.get(path) ?? {};
      const { token } = JSON.parse((lease.spec as { holderIdentity: string }).holderIdentity);
      const requests = JSON.stringify([{ ...asked, to: token }]);
      cluster.put(path, { ...lease, metadata: { annotations: { "modelswitch.dev/requests": requests } } });
      await lock.close("it is being destroyed");
    });
    await expect(working).rejects.toMatchObject({ code: "made-way" });
  });

  test("one that died with its way back closed is taken over like any other", async () => {
    bench.heldBy({ ...bob, token: "bobs" }, clock.now());
    const lease = cluster.get(path);
    cluster.put(path, {
      ...lease,
      metadata: { annotations: { "modelswitch.dev/no-way-back": "it is being destroyed" } },
    });
    expect(await wayBack()).toBe("back");
  });

  test("a request to a silent holder does not go to whoever comes next", async () => {
    bench.heldBy({ ...bob, token: "bobs" }, clock.now());
    const heard: string[] = [];
    const end = await withLockOrAsk(bench.options(ada), "abort", async (lock) => {
      const stop = lock.hear(({ kind }) => heard.push(kind));
      await clock.sleep(1_000);
      await lock.assertHeld();
      stop();
      return "held";
    });
    expect(end).toEqual({ kind: "held", result: "held" });
    expect(heard).toEqual([]);
  });

  test("a lock that is lost is known within half a second, and ends what heeds it as such", async () => {
    let lostAt = 0;
    const working = holding(async (lock) => {
      bench.heldBy({ ...ada, token: "adas" }, clock.now());
      const startedAt = clock.now();
      await new Promise<void>((resolve) => lock.signal.addEventListener("abort", () => resolve()));
      lostAt = clock.now() - startedAt;
      throw interrupted("The engine");
    });
    const passing = (async () => {
      for (let tick = 0; tick < 40; tick++) await clock.sleep(100);
    })();
    await expect(working).rejects.toMatchObject({ code: "lock-lost", exitCode: 4 });
    expect(lostAt).toBeLessThanOrEqual(500);
    await passing;
    expect(holderNow()).toMatchObject({ token: "adas" });
  });
});
