import { beforeEach, describe, expect, test } from "vitest";
import { ada, bob, LockBench, leasePath as path } from "../../../test/support/lock-bench.ts";
import type { FakeClock, FakeCluster } from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import { type Holder, renewMs } from "./lease.ts";
import { withLock } from "./lock.ts";

let bench: LockBench;
let cluster: FakeCluster;
let clock: FakeClock;

beforeEach(() => {
  bench = new LockBench();
  ({ cluster, clock } = bench);
});

/** Its heart beats: it renews the Lease every few seconds. */
function beating(holder: Holder, skew = 0): void {
  const sleep = clock.sleep.bind(clock);
  let beatAt = clock.now() + renewMs;
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    if (clock.now() < beatAt) return;
    beatAt += renewMs;
    bench.heldBy(holder, clock.now() + skew);
  };
}

function holderNow(): unknown {
  const spec = cluster.get(path)?.spec as { readonly holderIdentity?: string } | undefined;
  return JSON.parse(spec?.holderIdentity ?? "null");
}

describe("withLock", () => {
  test("holds the Lease while the work lasts, and gives it back", async () => {
    await withLock(bench.options(ada), async (lock) => {
      expect(holderNow()).toEqual({ ...ada, token: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      await lock.assertHeld();
    });
    expect(cluster.get(path)).toBeUndefined();
  });

  test("gives it back when the work fails", async () => {
    await expect(withLock(bench.options(ada), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(cluster.get(path)).toBeUndefined();
  });

  test("is renewed", async () => {
    await withLock(bench.options(ada), async () => {
      const before = cluster.get(path)?.metadata?.resourceVersion;
      await expect.poll(() => cluster.get(path)?.metadata?.resourceVersion).not.toBe(before);
    });
  });

  test("another holder is named, with what he does and since when", async () => {
    bench.heldBy(bob, clock.now() - 3_000);
    beating(bob);
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
      exitCode: 4,
      message:
        "bob@desk (process 20 on desk) is running `modelswitch up` on fraud since 2026-11-23T07:59:00Z, and is alive.",
    });
  });

  test("the lock of a process that is gone is taken over at once", async () => {
    bench.heldBy({ ...ada, pid: 9 }, clock.now());
    const startedAt = clock.now();
    const done = await withLock(bench.options(ada, { isGone: ({ pid }) => pid === 9 }), () =>
      Promise.resolve("done"),
    );
    expect(done).toBe("done");
    expect(clock.now()).toBe(startedAt);
  });

  test.each([
    ["a clock that is right", 0],
    ["a clock that is an hour behind", -3_600_000],
    ["a clock that is an hour ahead", 3_600_000],
  ])(
    "the lock of a silent machine with %s is taken over after a whole lease, counted down",
    async (_, skew) => {
      bench.heldBy(bob, clock.now() + skew);
      const startedAt = clock.now();
      const told: Event[] = [];
      await withLock(bench.options(ada, { events: (event) => told.push(event) }), () => Promise.resolve());
      expect(clock.now() - startedAt).toBeGreaterThanOrEqual(20_000);
      expect(clock.now() - startedAt).toBeLessThan(21_000);
      expect(told[0]).toMatchObject({
        id: "lock",
        state: "started",
        title: "Watch bob@desk (process 20 on desk), who holds the lock of fraud by `modelswitch up`",
      });
      const details = told.flatMap((event) => ("detail" in event ? [event.detail] : []));
      expect(details).toContain("silent for 5 s; its lock ends in 15 s unless it shows itself");
      expect(details.length).toBeLessThan(25);
    },
  );

  test("what is not looked at does not count: the API server was away, or this machine slept", async () => {
    bench.heldBy(bob, clock.now());
    const startedAt = clock.now();
    cluster.intercept = ({ method }) => {
      if (method === "GET" && clock.now() - startedAt > 15_000) clock.pass(10_000);
      if (clock.now() - startedAt > 15_000) cluster.intercept = undefined;
      return undefined;
    };
    await withLock(bench.options(ada), () => Promise.resolve());
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(15_000 + 10_000 + 20_000);
  });

  test("an API server that is away for longer ends the wait", async () => {
    bench.heldBy(bob, clock.now());
    let looks = 0;
    cluster.intercept = () => {
      looks += 1;
      if (looks > 5) throw new UserError({ code: "cluster-unreachable", message: "away" });
      return undefined;
    };
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "cluster-unreachable",
    });
  });

  test("is not taken from two containers with the host name and process number of this one", async () => {
    bench.heldBy({ ...ada, token: "another" }, clock.now());
    beating({ ...ada, token: "another" });
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
  });

  test("a command of this machine that lives keeps its lock when its heartbeat comes late, as after an API server that hung", async () => {
    const late = { ...ada, pid: 9 };
    bench.heldBy(late, clock.now() - 45_000);
    let looks = 0;
    cluster.intercept = ({ method, path: asked }) => {
      if (method === "GET" && asked === path) looks += 1;
      if (looks === 50) bench.heldBy(late, clock.now());
      return undefined;
    };
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
  });

  test("a takeover is refused when the holder has shown itself at the last moment", async () => {
    bench.heldBy(bob, clock.now());
    let isTried = false;
    cluster.intercept = ({ method, path: asked }) => {
      if (method !== "PUT" || asked !== path || isTried) return undefined;
      isTried = true;
      bench.heldBy(bob, clock.now());
      beating(bob);
      return undefined;
    };
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
    expect(isTried).toBe(true);
  });

  test("an answer that was lost is no lost lock: the token says whose it is", async () => {
    cluster.intercept = ({ method, body }) => {
      if (method !== "POST") return undefined;
      cluster.put(path, body as KubernetesObject);
      throw new Error("The connection was cut.");
    };
    await withLock(bench.options(ada), (lock) => lock.assertHeld());
    expect(cluster.get(path)).toBeUndefined();
  });

  test("a heartbeat that does not come through is given up and tried again before the Lease ends", async () => {
    const began = clock.now();
    let renewedAt = 0;
    let unanswered = 0;
    await withLock(bench.options(ada), async () => {
      cluster.intercept = ({ method, path: asked, timeoutMs }) => {
        if (asked !== path || renewedAt > 0) return undefined;
        if (method === "PUT") renewedAt = clock.now();
        if (method !== "GET" || clock.now() - began < renewMs || unanswered >= 3) return undefined;
        unanswered += 1;
        clock.pass(timeoutMs ?? Number.POSITIVE_INFINITY);
        throw new Error("no answer");
      };
      await expect.poll(() => renewedAt).toBeGreaterThan(0);
    });
    expect(unanswered).toBe(3);
    expect(renewedAt - began).toBeLessThan(20_000);
  });

  test("a machine whose clock is slow keeps its lock by its heartbeat", async () => {
    bench.heldBy(bob, clock.now() - 60_000);
    beating(bob, -60_000);
    await expect(withLock(bench.options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
  });

  test("whoever was silent too long learns that the lock is lost", async () => {
    const losing = withLock(bench.options(ada), async (lock) => {
      bench.heldBy(bob, clock.now());
      await lock.assertHeld();
    });
    await expect(losing).rejects.toMatchObject({ code: "lock-lost", exitCode: 4 });
    expect(cluster.get(path)?.spec).toMatchObject({ holderIdentity: JSON.stringify(bob) });
  });

  test("of two at the same time one wins and the other sees who", async () => {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const results = [
      withLock(bench.options(ada), () => until),
      withLock(bench.options(bob), () => until),
    ].map((work) =>
      work.then(
        () => "won",
        (error: { code: string }) => error.code,
      ),
    );
    const first = await Promise.race(results);
    expect(first).toBe("model-locked");
    release();
    expect((await Promise.all(results)).sort()).toEqual(["model-locked", "won"]);
  });
});
