import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { SharedWork } from "./share.ts";

function gateway() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function caller() {
  const controller = new AbortController();
  const details: (string | undefined)[] = [];
  return {
    controller,
    details,
    signal: controller.signal,
    progress: (update: { readonly detail?: string }) => {
      details.push(update.detail);
    },
  };
}

test("work is done once, and everyone gets its result and its progress", async () => {
  const shared = new SharedWork<number>();
  const [first, second] = [caller(), caller()];
  let runs = 0;
  const gate = gateway();
  const work = async (all: { progress: (update: { detail: string }) => void }) => {
    runs += 1;
    all.progress({ detail: "working" });
    await gate.promise;
    return runs;
  };
  const one = shared.run("etcd", first, work);
  await setImmediate();
  const two = shared.run("etcd", second, work);
  gate.resolve();
  expect(await Promise.all([one, two])).toEqual([1, 1]);
  expect(first.details).toEqual(["working"]);
  expect(second.details).toEqual(["working"]);
  expect(await shared.run("etcd", caller(), work)).toBe(2);
});

test("whoever aborts leaves at once; the last one ends the work and waits for it to clean up", async () => {
  const shared = new SharedWork<string>();
  const [first, second] = [caller(), caller()];
  const cleaned = gateway();
  let aborted = false;
  const work = (all: { signal: AbortSignal }) =>
    new Promise<string>((_, reject) => {
      all.signal.addEventListener("abort", async () => {
        aborted = true;
        await cleaned.promise;
        reject(new Error("cleaned up"));
      });
    });
  const one = shared.run("etcd", first, work);
  const two = shared.run("etcd", second, work);
  first.controller.abort();
  await expect(one).rejects.toMatchObject({ code: "interrupted" });
  expect(aborted).toBe(false);
  second.controller.abort();
  expect(aborted).toBe(true);
  cleaned.resolve();
  await expect(two).rejects.toThrow("cleaned up");
});
