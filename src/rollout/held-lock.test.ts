import { beforeEach, describe, expect, test } from "vitest";
import { ada, bob, LockBench, leasePath as path } from "../../test/support/lock-bench.ts";
import type { FakeClock, FakeCluster } from "../../test/support/rollout-bench.ts";
import { interrupted } from "../core/errors.ts";
import type { Event } from "../core/events.ts";
import type { LeaseRequest } from "./lease-requests.ts";
import { withLock, withLockInTurn, withLockOrAsk } from "./lock.ts";

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

  test("a way back asks it to make way, and takes its turn when it has", async () => {
    const ends = new AbortController();
    const working = withLock(bench.options(bob, { makesWay: true }), async (lock) => {
      await new Promise<void>((resolve) => lock.signal.addEventListener("abort", () => resolve()));
      ends.abort();
      throw interrupted("The engine");
    });
    const made = expect(working).rejects.toMatchObject({ code: "made-way", exitCode: 4 });
    await expect.poll(() => cluster.get(path)).toBeDefined();
    const events: Event[] = [];
    const about = { events: (event: Event) => void events.push(event), patienceMs: 60_000 };
    const turn = await withLockInTurn(bench.options(ada), about, () => Promise.resolve(ends.signal.aborted));
    expect(turn).toBe(true);
    await made;
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
