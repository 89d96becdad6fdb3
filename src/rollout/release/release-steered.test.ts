import { beforeEach, describe, expect, test } from "vitest";
import {
  benchWithModel,
  noFlags,
  replicasNow,
  routingsOf,
  splitNow,
  templateConfig,
  to,
} from "../../../test/support/release-bench.ts";
import type { TestBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { modelStatus, type RolloutStatus } from "../commands/status.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { askOf } from "./left-requests.ts";

let bench: TestBench;

const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));

const split = () => splitNow(context());

const replicas = () => replicasNow(context());

const routings = () => routingsOf(bench);

beforeEach(async () => {
  bench = await benchWithModel(templateConfig());
});

describe("asked by somebody else", () => {
  test("a pause is heard between two steps; resumed, it goes on", async () => {
    bench.afterMove = async (routing) => {
      if (routing.weight === 25) await askOf(context(), ["pause"]);
    };
    const end = await release(context({ steps: "25%:1m, 50%" }), to("fraud:2"));
    expect(end).toMatchObject({ kind: "paused", state: { phase: "shift", stepIndex: 0 } });
    expect(await split()).toEqual({ blue: 75, green: 25 });
    await askOf(context(), ["resume"]);
    expect(await resume(context(), "resume")).toMatchObject({ kind: "live" });
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("a release whose answers look like the live one's is taken back by itself", async () => {
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/proxy/version")
        ? { status: 200, headers: {}, body: "same" }
        : others?.(request);
    bench.answer = () => ({ status: 200, body: "same" });
    const end = await release(context(), { template: { image: "fraud:2", replicas: 2 } });
    expect(end).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "slots-indistinguishable" },
    });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
    expect(routings()).toEqual([]);
  });

  test("an abort takes the traffic back and says who wanted it", async () => {
    bench.afterMove = async (routing) => {
      if (routing.weight === 25) await askOf(context(), ["abort"]);
    };
    const end = await release(context({ steps: "25%:1m, 50%" }), to("fraud:2"));
    expect(end).toMatchObject({ state: { outcome: "aborted", reason: "ada@laptop aborted it" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await replicas()).toEqual({ blue: 2, green: 0 });
  });

  test("nothing can be asked of what is not there", async () => {
    await expect(askOf(context(), ["abort"])).rejects.toMatchObject({ code: "rollout-missing" });
  });
});

describe("other commands", () => {
  test("leave a rollout alone that is on its way, and `status` shows it", async () => {
    let meanwhile: RolloutStatus | undefined;
    bench.afterMove = async (routing) => {
      if (routing.weight !== 25) return;
      await askOf(context(), ["pause"]);
      meanwhile = (await modelStatus(context())).rollout;
    };
    let inBetween: unknown;
    const others = bench.afterMove;
    bench.afterMove = async (routing) => {
      await others(routing);
      inBetween ??= await release(context(), to("fraud:3")).catch((error: unknown) => error);
    };
    await release(context({ steps: "25%" }), to("fraud:2"));
    expect(inBetween).toMatchObject({
      code: "rollout-in-progress",
      message: expect.stringContaining(
        "`modelswitch release` of ada@laptop (process 1 on laptop) works on it now",
      ),
      hint: expect.stringContaining("Wait for it"),
    });
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "rollout-in-progress",
      exitCode: 4,
      message: expect.stringContaining("No command works on it now."),
      hint: expect.stringContaining("`modelswitch resume` goes on"),
    });
    await expect(switchTraffic(context(), "green")).rejects.toMatchObject({ code: "rollout-in-progress" });
    expect(await modelStatus(context())).toMatchObject({
      split: { blue: 75, green: 25 },
      pending: undefined,
      rollout: { release: 2, target: "green", phase: "shift", paused: true, worksOnIt: null },
    });
    expect(meanwhile?.worksOnIt).toBe("`modelswitch release` of ada@laptop (process 1 on laptop)");
  });

  test("a switch within the rollback window ends the rollout", async () => {
    await release(context(), to("fraud:2"));
    await switchTraffic(context(), "blue");
    expect(await resume(context(), "reconcile")).toBe(undefined);
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect((await context().store.read())?.rollouts).toMatchObject([{ release: 2, outcome: "released" }]);
  });

  test("`up` keeps the size of a slot that was scaled down, and of one that is warm", async () => {
    await release(context(), to("fraud:2"));
    await up(context(), noFlags);
    expect(await replicas()).toEqual({ blue: 2, green: 2 });
    bench.clock.pass(600_000);
    await resume(context(), "reconcile");
    await up(context(), noFlags);
    expect(await replicas()).toEqual({ blue: 0, green: 2 });
  });
});
