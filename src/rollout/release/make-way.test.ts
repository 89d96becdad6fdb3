import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { putSlot, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { destroyModel } from "../commands/destroy.ts";
import { goBack } from "../commands/meant-by.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { modelStatus } from "../commands/status.ts";
import { control } from "../commands/steer.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import type { RolloutContext } from "../context/context.ts";
import { inProgress } from "../record/in-progress.ts";

let bench: TestBench;
const config = templateConfig({ drain: 0, rollbackWindow: 600 });
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${testNamespace}/leases/fraud-modelswitch`;
const blueAgain = { blue: 100, green: 0 };

/** A command of somebody on another machine. */
function contextOf(operator: string): RolloutContext {
  const context = bench.context(config);
  return {
    ...context,
    operator,
    lockOptions: (command) => {
      const options = context.lockOptions(command);
      return { ...options, holder: { ...options.holder, operator, host: operator, command } };
    },
  };
}

/** Release 2 is live in green, release 1 warm in blue. */
beforeEach(async () => {
  bench = testBench();
  await up(bench.context(config), noFlags);
  await release(bench.context(config), { template: { image: "fraud:2", replicas: 2 } });
  bench.beats = true;
});

/** A stack that opens when somebody says so: the provider is being downloaded. */
function slowly(context: RolloutContext) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const openStack: RolloutContext["openStack"] = async (signal) => {
    // Without the lock it would hold up nobody.
    if (bench.cluster.get(leasePath) === undefined) return bench.stack;
    await Promise.race([
      opened,
      new Promise((_, reject) => {
        const stop = () => reject(context.signal.reason);
        context.signal.addEventListener("abort", stop, { once: true });
        signal.addEventListener("abort", stop, { once: true });
      }),
    ]);
    return bench.stack;
  };
  return { context: { ...context, openStack }, open };
}

const isHeld = () => expect.poll(() => bench.cluster.get(leasePath)).toBeDefined();

describe("a way back meets a command that works on no rollout, and it makes way", () => {
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    rollback: () => rollback(contextOf("bob")),
    "switch away": () => {
      // Pods that do not say who they are: green is bad.
      const { intercept } = bench.cluster;
      bench.cluster.intercept = (request) =>
        request.path.includes("/pods/fraud-green")
          ? { status: 500, headers: {}, body: "" }
          : intercept?.(request);
      return switchTraffic(contextOf("bob"), "blue");
    },
  };
  const holders: Readonly<Record<string, (context: RolloutContext) => Promise<unknown>>> = {
    "destroy, before it deletes": (context) => destroyModel(context, { removeStack: true }),
    up: (context) =>
      up({ ...context, config: templateConfig({}, { image: "fraud:1", replicas: 3 }) }, noFlags),
  };
  const pairs = Object.keys(ways).flatMap((way) =>
    Object.keys(holders).map((holder) => [way, holder] as const),
  );
  test.each(pairs)("%s meets %s", async (way, holder) => {
    const { context } = slowly(contextOf("ada"));
    const holding = holders[holder]?.(context);
    const made = expect(holding).rejects.toMatchObject({ code: "made-way", exitCode: 4 });
    await isHeld();
    await ways[way]?.();
    await made;
    expect(await splitNow(contextOf("bob"))).toEqual(blueAgain);
  });
});

test("a switch that waits for its slot makes way for a rollback to the release in it", async () => {
  putSlot(bench.cluster, "blue", { replicas: 3, ready: 2, image: "fraud:1", release: 1 });
  // Its own time passes slowly: the other command has all it needs.
  const { clock } = bench;
  const slow = {
    now: () => clock.now(),
    sleep: async (_ms: number, signal?: AbortSignal) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.sleep(10, signal);
    },
  };
  const switching = switchTraffic({ ...contextOf("ada"), clock: slow }, "blue");
  const made = expect(switching).rejects.toMatchObject({ code: "made-way", exitCode: 4 });
  await expect.poll(async () => inProgress(await contextOf("bob").store.read())?.kind).toBe("switch");
  // It is heard, or done by then.
  await goBack(contextOf("bob"), {});
  await made;
  expect(await splitNow(contextOf("bob"))).toEqual(blueAgain);
});

describe("once `destroy` deletes", () => {
  const words = {
    code: "way-back-closed",
    exitCode: 4,
    message: expect.stringContaining("it is being destroyed"),
  };

  /** `destroy` while it deletes. */
  async function destroying() {
    let end = () => {};
    const deleting = new Promise<void>((resolve) => {
      end = resolve;
    });
    const destroy = bench.stack.destroy.bind(bench.stack);
    let isDeleting = false;
    bench.stack.destroy = async () => {
      isDeleting = true;
      await deleting;
      return await destroy();
    };
    const over = destroyModel(contextOf("ada"), { removeStack: true });
    await expect.poll(() => isDeleting).toBe(true);
    return async () => {
      end();
      await over;
    };
  }

  test("a rollback is refused at once", async () => {
    const end = await destroying();
    const startedAt = bench.clock.now();
    await expect(rollback(contextOf("bob"))).rejects.toMatchObject(words);
    expect(bench.clock.now() - startedAt).toBeLessThan(1_500);
    await end();
  });

  test("also when the Ingress is gone by then, and whoever looks is told why it is", async () => {
    const end = await destroying();
    bench.cluster.remove(`/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`);
    await expect(rollback(contextOf("bob"))).rejects.toMatchObject(words);
    await expect(modelStatus(contextOf("bob"))).rejects.toMatchObject(words);
    await end();
    await expect(modelStatus(contextOf("bob"))).rejects.toMatchObject({ code: "not-deployed" });
  });

  test("so is the abort of a release in progress", async () => {
    await release(
      { ...contextOf("ada"), config: templateConfig({ approval: ["shift"] }) },
      {
        template: { image: "fraud:3", replicas: 2 },
      },
    );
    const end = await destroying();
    await expect(control(contextOf("bob"), ["abort"])).rejects.toMatchObject(words);
    await end();
  });
});

test("`destroy` makes way for the abort of a release that nobody works on, before it deletes", async () => {
  const approving = { ...contextOf("ada"), config: templateConfig({ approval: ["cut-over"], drain: 0 }) };
  await release(approving, { template: { image: "fraud:3", replicas: 2 } });
  const { context } = slowly(contextOf("ada"));
  const made = expect(destroyModel(context, { removeStack: true })).rejects.toMatchObject({
    code: "made-way",
  });
  await isHeld();
  const end = await control(contextOf("bob"), ["abort"]);
  expect(end).toMatchObject({ kind: "done", end: { state: { outcome: "aborted" } } });
  await made;
});

test("an approval is no reason for `destroy` to make way", async () => {
  const approving = { ...contextOf("ada"), config: templateConfig({ approval: ["shift"] }) };
  await release(approving, { template: { image: "fraud:3", replicas: 2 } });
  const { context, open } = slowly(contextOf("ada"));
  const destroying = destroyModel(context, { removeStack: true });
  await isHeld();
  const approved = control(contextOf("bob"), ["approve"]).catch((error: unknown) => error);
  await bench.clock.sleep(5_000);
  open();
  expect(await destroying).toMatchObject({ recordDeleted: true });
  bench.stop.abort();
  await approved;
});

describe("two who lead traffic back at the same time", () => {
  test("the second one ends neither the first one's way back nor goes back once more", async () => {
    await release(contextOf("ada"), { template: { image: "fraud:3", replicas: 2 } });
    const before = await splitNow(contextOf("ada"));
    const results = await Promise.allSettled([goBack(contextOf("ada"), {}), goBack(contextOf("bob"), {})]);
    const after = await splitNow(contextOf("ada"));
    expect(before).toEqual(blueAgain);
    expect(after).toEqual({ blue: 0, green: 100 });
    const record = await contextOf("ada").store.read();
    expect(record?.slots.green).toBe(2);
    const back = record?.rollouts?.filter(({ kind }) => kind === "rollback");
    expect(back).toMatchObject([{ release: 2, outcome: "released" }]);
    expect(results.map(({ status }) => status)).toContain("fulfilled");
  });
});
