import { beforeEach, describe, expect, test } from "vitest";
import { bob as atDesk, leaseOf, leasePath as path } from "../../../test/support/lock-bench.ts";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { splitOf } from "../../core/routing.ts";
import { observeDeployed } from "../context/deployed.ts";
import type { Holder } from "../lock/lease.ts";
import { withLock } from "../lock/lock.ts";
import { release, resume } from "./release.ts";
import { unlock } from "./unlock.ts";
import { up } from "./up.ts";

const bob = { ...atDesk, command: "release" };
let bench: TestBench;
let asked: string[];

const options = (force = false, agrees = true) => ({
  force,
  agree: ({ who }: { readonly who: string }) => {
    asked.push(who);
    return Promise.resolve(agrees);
  },
});

function heldBy(holder: Holder, secondsAgo: number): void {
  bench.cluster.put(path, leaseOf(holder, bench.clock.now() - secondsAgo * 1000));
}

/** Its heart beats: whenever somebody has waited, it has renewed the Lease. */
function beatBy(holder: Holder, secondsAgo: number): void {
  heldBy(holder, secondsAgo);
  const sleep = bench.clock.sleep.bind(bench.clock);
  bench.clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    if (bench.cluster.get(path)?.spec !== undefined) heldBy(holder, secondsAgo);
  };
}

const working = () => bench.context(templateConfig({ drain: 5, soak: 0 }));

/** One whose clock passes while a heartbeat is waited for. */
function context() {
  const found = working();
  return {
    ...found,
    lockOptions: (command: string) => ({ ...found.lockOptions(command), clock: bench.clock }),
  };
}

beforeEach(() => {
  bench = testBench();
  asked = [];
});

describe("unlock", () => {
  test("says that nobody holds the lock", async () => {
    expect(await unlock(context(), options())).toEqual({ kind: "free" });
  });

  test("removes a lock whose heartbeat has stopped, without a question", async () => {
    heldBy(bob, 60);
    expect(await unlock(context(), options())).toMatchObject({ kind: "removed", lock: { holder: bob } });
    expect(bench.cluster.get(path)).toBe(undefined);
    expect(asked).toEqual([]);
  });

  test("removes the lock of a process of this machine that has ended", async () => {
    heldBy({ ...bob, host: "laptop" }, 1);
    const found = context();
    const here = {
      ...found,
      lockOptions: (command: string) => ({ ...found.lockOptions(command), isGone: () => true }),
    };
    expect(await unlock(here, options())).toMatchObject({ kind: "removed" });
  });

  test("an old heartbeat of a machine whose clock is wrong is alive as long as it comes", async () => {
    beatBy(bob, 600);
    await expect(unlock(context(), options())).rejects.toMatchObject({ code: "model-locked" });
  });

  test("leaves a living lock alone, and says whose it is", async () => {
    beatBy(bob, 3);
    await expect(unlock(context(), options())).rejects.toMatchObject({
      code: "model-locked",
      exitCode: 4,
      message: expect.stringContaining(
        "bob@desk (process 20 on desk) is running `modelswitch release` on fraud since 2026-11-23T07:59:00Z",
      ),
    });
    expect(asked).toEqual([]);
  });

  test("takes it by force only when somebody agrees", async () => {
    beatBy(bob, 3);
    await expect(unlock(context(), options(true, false))).rejects.toMatchObject({ code: "declined" });
    expect(bench.cluster.get(path)?.spec).toMatchObject({ holderIdentity: JSON.stringify(bob) });
    expect(await unlock(context(), options(true))).toMatchObject({ kind: "taken" });
    expect(asked).toEqual(["bob@desk (process 20 on desk)", "bob@desk (process 20 on desk)"]);
    expect(bench.cluster.get(path)?.spec).not.toHaveProperty("holderIdentity");
    await withLock(context().lockOptions("up"), (lock) => lock.check());
  });

  test("a heartbeat in between is no other holder; another holder is", async () => {
    beatBy(bob, 3);
    const beating = { ...options(true), agree: () => Promise.resolve(heldBy(bob, 0)).then(() => true) };
    expect(await unlock(context(), beating)).toMatchObject({ kind: "taken" });
    heldBy(bob, 3);
    const eve = { ...bob, operator: "eve@desk" };
    const other = { ...options(true), agree: () => Promise.resolve(heldBy(eve, 0)).then(() => true) };
    await expect(unlock(context(), other)).rejects.toMatchObject({ code: "lock-changed" });
    expect(bench.cluster.get(path)?.spec).toMatchObject({ holderIdentity: JSON.stringify(eve) });
  });

  test("a release that loses its lock stops before its next step; the next command goes on", async () => {
    await up(working(), noFlags);
    bench.beats = true;
    bench.afterMove = async ({ candidate, weight }) => {
      if (candidate !== "green" || weight !== 100) return;
      bench.afterMove = undefined;
      await unlock({ ...working(), operator: "bob@desk" }, options(true));
    };
    const started = release(working(), { template: { image: "fraud:2", replicas: 2 } });
    await expect(started).rejects.toMatchObject({
      code: "lock-lost",
      exitCode: 4,
      message: expect.stringContaining("bob@desk took it away by `modelswitch unlock`"),
    });
    const { routing, record } = await observeDeployed(working());
    expect(splitOf(routing)).toEqual({ blue: 0, green: 100 });
    expect(record.rollout?.state).toMatchObject({ direction: "forward" });
    expect(await resume(working(), "resume")).toMatchObject({ kind: "live" });
  });
});
