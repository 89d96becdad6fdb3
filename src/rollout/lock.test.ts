import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeCluster, testNamespace } from "../../test/support/rollout-bench.ts";
import type { Holder, LockOptions } from "./lease.ts";
import { withLock } from "./lock.ts";

const path = `/apis/coordination.k8s.io/v1/namespaces/${testNamespace}/leases/fraud-modelswitch`;
const ada: Holder = { operator: "ada@laptop", host: "laptop", pid: 10, command: "switch green" };
const bob: Holder = { operator: "bob@desk", host: "desk", pid: 20, command: "up" };

let cluster: FakeCluster;
let clock: FakeClock;

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock();
});

function options(holder: Holder, changes: Partial<LockOptions> = {}): LockOptions {
  return {
    api: cluster,
    namespace: testNamespace,
    model: "fraud",
    holder,
    clock,
    isGone: () => false,
    signal: new AbortController().signal,
    ...changes,
  };
}

function heldBy(holder: Holder, renewedAt: number): void {
  cluster.put(path, {
    spec: {
      holderIdentity: JSON.stringify(holder),
      leaseDurationSeconds: 20,
      acquireTime: "2026-11-23T07:59:00.000000Z",
      renewTime: new Date(renewedAt).toISOString(),
    },
  });
}

describe("withLock", () => {
  test("holds the Lease while the work lasts, and gives it back", async () => {
    await withLock(options(ada), async (lock) => {
      expect(cluster.get(path)?.spec).toMatchObject({ holderIdentity: JSON.stringify(ada) });
      await lock.check();
    });
    expect(cluster.get(path)).toBeUndefined();
  });

  test("gives it back when the work fails", async () => {
    await expect(withLock(options(ada), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(cluster.get(path)).toBeUndefined();
  });

  test("is renewed", async () => {
    await withLock(options(ada), async () => {
      const before = cluster.get(path)?.metadata?.resourceVersion;
      await expect.poll(() => cluster.get(path)?.metadata?.resourceVersion).not.toBe(before);
    });
  });

  test("another holder is named, with what he does and since when", async () => {
    heldBy(bob, clock.now() - 3_000);
    await expect(withLock(options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
      exitCode: 4,
      message:
        "bob@desk (process 20 on desk) is running `modelswitch up` on fraud since 2026-11-23T07:59:00Z; last heartbeat 3 s ago.",
      hint: expect.stringContaining("ends by itself in 17 s"),
    });
  });

  test("the lock of a process that is gone is taken over at once", async () => {
    heldBy({ ...ada, pid: 9 }, clock.now());
    const done = await withLock(options(ada, { isGone: ({ pid }) => pid === 9 }), () =>
      Promise.resolve("done"),
    );
    expect(done).toBe("done");
  });

  test("a lock of another machine is taken over when its heartbeat stays away while we watch", async () => {
    heldBy(bob, clock.now() - 60_000);
    const startedAt = clock.now();
    await withLock(options(ada), () => Promise.resolve());
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(7_000);
  });

  test("a command of this machine that lives keeps its lock when its heartbeat comes late, as after an API server that hung", async () => {
    const late = { ...ada, pid: 9 };
    heldBy(late, clock.now() - 45_000);
    let looks = 0;
    cluster.intercept = ({ method, path: asked }) => {
      if (method === "GET" && asked === path) looks += 1;
      if (looks === 4) heldBy(late, clock.now());
      return undefined;
    };
    await expect(withLock(options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
  });

  test("a heartbeat that does not come through is given up and tried again before the Lease ends", async () => {
    const beats: { readonly at: number; readonly timeoutMs: number | undefined }[] = [];
    await withLock(options(ada), async () => {
      cluster.intercept = ({ method, path: asked, timeoutMs }) => {
        if (method !== "GET" || asked !== path) return undefined;
        beats.push({ at: clock.now(), timeoutMs });
        if (beats.length <= 2) throw new Error("no answer");
        return undefined;
      };
      await expect.poll(() => beats.length).toBeGreaterThan(3);
    });
    const [first, second, third, fourth] = beats.map(({ at }) => at - (beats[0]?.at ?? 0));
    expect([first, second, third, fourth]).toEqual([0, 1_000, 2_000, 7_000]);
    const [lease, timeout] = [20_000, beats[0]?.timeoutMs ?? Number.POSITIVE_INFINITY];
    // The beat before, and two that got no answer.
    expect(5_000 + 2 * (timeout + 1_000)).toBeLessThan(lease);
  });

  test("a machine whose clock is slow keeps its lock by its heartbeat", async () => {
    heldBy(bob, clock.now() - 60_000);
    let looks = 0;
    cluster.intercept = ({ method, path: asked }) => {
      if (method === "GET" && asked === path) looks += 1;
      if (looks === 3) heldBy(bob, clock.now() - 60_000);
      return undefined;
    };
    await expect(withLock(options(ada), () => Promise.resolve())).rejects.toMatchObject({
      code: "model-locked",
    });
  });

  test("whoever was silent too long learns that the lock is lost", async () => {
    const losing = withLock(options(ada), async (lock) => {
      heldBy(bob, clock.now());
      await lock.check();
    });
    await expect(losing).rejects.toMatchObject({ code: "lock-lost", exitCode: 4 });
    expect(cluster.get(path)?.spec).toMatchObject({ holderIdentity: JSON.stringify(bob) });
  });

  test("of two at the same time one wins and the other sees who", async () => {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const results = [withLock(options(ada), () => until), withLock(options(bob), () => until)].map((work) =>
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
