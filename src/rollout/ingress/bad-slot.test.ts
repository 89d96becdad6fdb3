import { beforeEach, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { systemClock } from "../../core/clock.ts";
import { UserError } from "../../core/errors.ts";
import { release, resume } from "../commands/release.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { leavesBadSlot } from "./bad-slot.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig({ drain: 0, rollbackWindow: 600 }));

/** Release 2 is live in green, release 1 warm in blue. */
beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  await release(context(), { template: { image: "fraud:2", replicas: 2 } });
  bench.events.length = 0;
});

/** Requests that green would answer get no answer. */
function silenced(): void {
  bench.ask = ({ headers, host }) => {
    const answer = bench.answer(headers["X-Modelswitch-Preview"], host);
    if (answer.body === "version of green") throw new Error("no answer within 300 ms");
    return answer;
  };
}

/** The pods of green take so long to answer. */
function slow(ms: number): void {
  const { intercept } = bench.cluster;
  bench.cluster.intercept = async (request) => {
    if (request.path.includes("/pods/fraud-green")) await systemClock.sleep(ms, request.signal);
    return await intercept?.(request);
  };
}

/** Decides by the clock on the wall: what is waited for at the same time is. */
async function leaves(): Promise<boolean> {
  const real = { ...context(), clock: systemClock };
  return await leavesBadSlot(real, await observeDeployed(real), "blue");
}

const why = () =>
  bench.events.flatMap((event) =>
    event.type === "warning" && event.code === "live-slot-bad" ? event.message : [],
  );

test("a slot that is silent at the ingress alone is bad, where the other one answers there", async () => {
  silenced();
  await switchTraffic(context(), "blue");
  expect(why()).toEqual([expect.stringContaining("10 requests at the ingress got no answer")]);
  expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
});

test("an ingress that this machine does not reach says nothing of the slot", async () => {
  bench.ask = () => {
    throw new Error("connect ETIMEDOUT");
  };
  expect(await leaves()).toBe(false);
});

test("pods that do not say who they are while clients are not served are not waited for", async () => {
  silenced();
  slow(900);
  const startedAt = systemClock.now();
  expect(await leaves()).toBe(true);
  expect(why()).toEqual([expect.stringContaining("not all of its pods say who they are")]);
  expect(systemClock.now() - startedAt).toBeLessThan(900);
});

test("a slot that serves may take its time to say who it is", async () => {
  slow(250);
  expect(await leaves()).toBe(false);
});

test("on a machine without the configuration, a slot that answers rightly is left by the API server alone, too", async () => {
  const there = context();
  const here = {
    ...there,
    config: { ...there.config, remembered: true },
    prepareSecrets: () => Promise.reject(new Error("a question for a passphrase")),
    openStack: () =>
      Promise.reject(new UserError({ code: "passphrase-missing", message: "none", exitCode: 2 })),
  };
  await expect(switchTraffic(here, "blue")).rejects.toMatchObject({
    code: "state-behind",
    exitCode: 5,
  });
  expect(await splitNow(there)).toEqual({ blue: 100, green: 0 });
  await resume(there, "resume");
  expect((await there.store.read())?.rollout).toBeUndefined();
});
