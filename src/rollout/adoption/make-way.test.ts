import { beforeEach, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import { up } from "../commands/up.ts";
import type { RolloutContext } from "../context/context.ts";
import { inTurn, withLockInTurn } from "../lock/lock.ts";
import type { Adoption } from "../record/adoption.ts";
import { adopt } from "./adopt.ts";
import { foundObject } from "./adopted-objects.ts";
import { undoAdoption } from "./undo.ts";

let bench: TestBench;
const config = templateConfig();
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${testNamespace}/leases/fraud-modelswitch`;
const paths = {
  deployment: `/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`,
  service: `/api/v1/namespaces/${testNamespace}/services/fraud-blue`,
  ingress: `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`,
};
const yes = () => Promise.resolve(true);

/** What somebody deployed by hand, taken over so far. */
async function adopted(state: Adoption["state"]): Promise<void> {
  const found = (path: string) => {
    const object: KubernetesObject = bench.cluster.get(path) ?? {};
    bench.cluster.put(path, { ...object, metadata: { ...object.metadata, uid: `uid of ${path}` } });
    return foundObject(bench.cluster.get(path) ?? {});
  };
  const adoption: Adoption = {
    ...{ slot: "blue", state, at: "2026-11-23T08:00:00Z", by: "ada@laptop", release: 1 },
    deployment: { ...found(paths.deployment), selector: {} },
    service: { ...found(paths.service), selector: {} },
    ingress: { ...found(paths.ingress), spec: {} },
  };
  await bench.context(config).store.update((record) => record && { ...record, adoption });
}

const stateNow = async () => (await bench.context(config).store.read())?.adoption?.state;

/** Somebody who leads traffic back, when the lock is held. */
async function wayBack(): Promise<string> {
  const context = bench.context(config);
  const options = context.lockOptions("rollback");
  const holder = { ...options.holder, operator: "bob@desk", host: "desk" };
  await expect.poll(() => bench.cluster.get(leasePath)).toBeDefined();
  return await withLockInTurn({ ...options, holder }, inTurn(context), () => Promise.resolve("back"));
}

/** The engine takes its time, as when a provider is obtained; it heeds the end of the command. */
function slowly(context: RolloutContext): RolloutContext {
  const openStack: RolloutContext["openStack"] = () =>
    new Promise((resolve, reject) => {
      if (bench.cluster.get(leasePath) === undefined) resolve(bench.stack);
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
    });
  return { ...context, openStack };
}

beforeEach(async () => {
  bench = testBench();
  await up(bench.context(config), noFlags);
  bench.beats = true;
});

test("`adopt --undo` makes way until it gives back, and has changed nothing then", async () => {
  await adopted("adopted");
  const undoing = undoAdoption(slowly(bench.context(config)), yes);
  const made = expect(undoing).rejects.toMatchObject({ code: "made-way", exitCode: 4 });
  expect(await wayBack()).toBe("back");
  await made;
  expect(await stateNow()).toBe("adopted");
});

test("while it gives back, whoever needs a way back is refused at once", async () => {
  await adopted("adopted");
  let end = () => {};
  bench.stack.beforeUp = () =>
    new Promise((_, reject) => {
      end = () => reject(new Error("It goes no further here."));
    });
  const undoing = undoAdoption(bench.context(config), yes);
  const ended = expect(undoing).rejects.toThrow("It goes no further here.");
  await expect.poll(stateNow).toBe("giving-back");
  await expect(wayBack()).rejects.toMatchObject({
    code: "way-back-closed",
    message: expect.stringContaining("what was adopted is being given back, and green is deleted"),
  });
  end();
  await ended;
});

test("`adopt` makes way between its steps, and the same command goes on", async () => {
  await adopted("adopting");
  const adopting = adopt(slowly(bench.context(config)), yes);
  const made = expect(adopting).rejects.toMatchObject({ code: "made-way" });
  expect(await wayBack()).toBe("back");
  await made;
  expect(await stateNow()).toBe("adopting");
  bench.beats = false;
  expect(await adopt(bench.context(config), yes)).toMatchObject({ alreadyThere: false });
  expect(await stateNow()).toBe("adopted");
});
