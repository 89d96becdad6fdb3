import { beforeEach, describe, expect, test } from "vitest";
import { leasePath } from "../../../test/support/lock-bench.ts";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import { release } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import type { RolloutContext } from "../context/context.ts";
import type { LeaseRequest } from "../lock/lease-requests.ts";
import { Hearing, whileListening } from "./heard-requests.ts";
import { askOf } from "./left-requests.ts";

let bench: TestBench;
let ring: (kind: LeaseRequest["kind"]) => void;
let hearing: Hearing;
let lost: AbortController;

const context = () => bench.context(templateConfig({ drain: 5, soak: 0 }));
/** Of the lock, only its loss matters here. */
const means = () => ({ lock: { signal: lost.signal }, hearing });

/** Work that only a stop ends; time does not pass, so nothing is found out by looking. */
const forEver = ({ signal }: RolloutContext) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));

beforeEach(() => {
  bench = testBench();
  lost = new AbortController();
  hearing = new Hearing({
    hear: (listener) => {
      ring = (kind) => listener({ id: kind, kind, to: "t", by: "bob@desk", at: "2026-11-23T08:00:00Z" });
      return () => undefined;
    },
  });
});

describe("while something lasts long", () => {
  const still = () => ({ ...context(), clock: { ...bench.clock, now: () => 0, sleep: whenStopped } });

  test("an abort in the Lease ends it at once", async () => {
    const working = whileListening(still(), means(), forEver);
    ring("abort");
    expect(await working).toBeUndefined();
  });

  test("an abort that came before it began does, too", async () => {
    ring("abort");
    expect(await whileListening(still(), means(), forEver)).toBeUndefined();
  });

  test("a ring has the record looked at, and an abort in there ends it", async () => {
    await up(context(), noFlags);
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "stack-locked", message: "bob", exitCode: 4 });
    };
    await expect(release(context(), { template: { image: "fraud:2", replicas: 2 } })).rejects.toThrow("bob");
    const working = whileListening(still(), means(), forEver);
    await askOf(context(), ["abort"]);
    ring("look");
    expect(await working).toBeUndefined();
  });

  test("a lost lock ends it, and says so", async () => {
    const working = whileListening(still(), means(), forEver);
    lost.abort(new UserError({ code: "lock-lost", message: "lost" }));
    await expect(working).rejects.toMatchObject({ code: "lock-lost" });
  });

  test("a pause ends by a ring, also by one that nobody has taken yet", async () => {
    const pausing = hearing.pause(still(), 60_000);
    ring("look");
    await pausing;
    await hearing.pause(still(), 60_000);
    expect(hearing.take()).toHaveLength(1);
    expect(hearing.take()).toEqual([]);
  });
});

test("an abort in the Lease takes a release back in the middle of a wait, and says who asked", async () => {
  await up(context(), noFlags);
  bench.beats = true;
  let isAsked = false;
  bench.stack.afterUp = () => {
    if (isAsked) return;
    isAsked = true;
    const lease = bench.cluster.get(leasePath);
    const { token } = JSON.parse((lease as { spec: { holderIdentity: string } }).spec.holderIdentity);
    const request = { id: "1", kind: "abort", to: token, by: "bob@desk", at: "2026-11-23T08:00:00Z" };
    const annotations = { "modelswitch.dev/requests": JSON.stringify([request]) };
    bench.cluster.put(leasePath, { ...lease, metadata: { ...lease?.metadata, annotations } });
  };
  const end = await release(context(), { template: { image: "fraud:2", replicas: 2 } });
  expect(end).toMatchObject({
    kind: "finished",
    state: { direction: "back", outcome: "aborted", reason: "bob@desk aborted it" },
  });
});

function whenStopped(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error("stopped"));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
