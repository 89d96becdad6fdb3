import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import type { CallSubject } from "../../core/calls.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { modelStatus } from "../commands/status.ts";
import { control } from "../commands/steer.ts";
import { up } from "../commands/up.ts";
import { askOf } from "./left-requests.ts";

let bench: TestBench;

const context = (rollout: RolloutConfig = {}) =>
  bench.context(templateConfig(rollout, { image: "fraud:1", replicas: 4 }));
const next = { template: { image: "fraud:2", replicas: 4 } };
const split = () => splitNow(context());

/** Replicas of both slots at every write. */
function sizes(): string[] {
  const texts = bench.stack.operations
    .filter(({ name }) => name === "up")
    .map(({ desired }) => `${desired?.spec.slots.blue.replicas}|${desired?.spec.slots.green.replicas}`);
  return texts.filter((text, index) => text !== texts[index - 1]);
}

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  bench.stack.operations.length = 0;
});

describe("approval", () => {
  const rollout: RolloutConfig = { approval: ["cut-over"] };

  test("is waited for with all traffic where it was, and whoever gives it goes on", async () => {
    const end = await release(context(rollout), next);
    expect(end).toMatchObject({ kind: "held", by: { kind: "approval", phase: "cut-over" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await modelStatus(context(rollout))).toMatchObject({
      rollout: { waitsFor: "somebody has to approve the phase cut-over" },
    });
    expect(await resume(context(rollout), "reconcile")).toMatchObject({ kind: "held" });
    const approved = await control(context(rollout), ["approve"]);
    expect(approved).toMatchObject({ kind: "done", end: { kind: "live" } });
    expect(await split()).toEqual({ blue: 0, green: 100 });
    const journal = (await context().store.read())?.rollout?.journal;
    expect(journal).toContainEqual(expect.objectContaining({ kind: "request", text: "ada@laptop: approve" }));
  });

  test("cannot be given where none is waited for", async () => {
    await release(context(), next);
    await expect(control(context(), ["approve"])).rejects.toMatchObject({ code: "nothing-to-approve" });
  });

  test("a command that waits goes on by itself once somebody approves", async () => {
    let asked = false;
    const ctx = context(rollout);
    const events = ctx.events;
    const end = await release(
      {
        ...ctx,
        events: (event) => {
          events(event);
          if (asked || event.type !== "info" || !event.message.startsWith("Waiting")) return;
          asked = true;
          void askOf(context(rollout), ["approve"]);
        },
      },
      { ...next, waitWhenHeld: true },
    );
    expect(end).toMatchObject({ kind: "live" });
  });
});

describe("windows", () => {
  // The clock of the tests begins on a Monday at 8 o'clock.
  const rollout: RolloutConfig = { windows: [{ days: "mon-fri", from: "10:00", to: "16:00" }] };

  test("outside them everything is prepared, and traffic moves when one opens", async () => {
    const end = await release(context(rollout), next);
    expect(end).toMatchObject({
      kind: "held",
      state: { phase: "cut-over" },
      by: { kind: "window", opensAt: Date.parse("2026-11-23T10:00:00Z") },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    bench.clock.pass(2 * 3_600_000);
    expect(await resume(context(rollout), "reconcile")).toMatchObject({ kind: "live" });
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("a rollback needs none, and whoever must can move traffic outside them", async () => {
    const freeze: RolloutConfig = { freezes: [{ from: "2026-11-20", to: "2026-12-01", reason: "sales" }] };
    expect(await release(context(freeze), { ...next, ignoreWindows: true })).toMatchObject({ kind: "live" });
    const record = await context().store.read();
    expect(record?.rollout?.skipped).toEqual(["windows and freezes (--ignore-windows), by ada@laptop"]);
    await rollback(context(freeze));
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });
});

describe("hooks", () => {
  const rollout: RolloutConfig = {
    hooks: [
      { name: "tell", before: "shift", run: ["true"] },
      { name: "check", after: "cut-over", run: ["true"] },
      { name: "tidy", after: "scale-down", run: ["true"] },
    ],
  };

  test("are run at their time and told what it is about", async () => {
    const told: (CallSubject & { hook: string })[] = [];
    bench.hook = ({ name }, subject) => {
      told.push({ hook: name, ...subject });
      return { verdict: "pass", evidence: "all is well" };
    };
    await release(context({ ...rollout, rollbackWindow: 0 }), next);
    expect(told).toMatchObject([
      {
        ...{ hook: "tell", phase: "shift", release: 2, slot: "green", image: "fraud:2" },
        split: { blue: 100 },
        reach: {
          host: "fraud.test",
          path: "/",
          addresses: ["http://192.0.2.1:80"],
          preview: { header: "X-Modelswitch-Preview", values: { blue: "never", green: "always" } },
          services: { blue: { name: "fraud-blue", port: 80 }, green: { name: "fraud-green", port: 80 } },
        },
      },
      // The other way round, now that the release is the one that clients get.
      {
        ...{ hook: "check", phase: "cut-over", split: { green: 100 } },
        reach: { preview: { values: { blue: "always", green: "never" } } },
      },
      { hook: "tidy", phase: "scale-down" },
    ]);
    const report = (await context().store.read())?.rollouts?.at(-1)?.report;
    expect(report?.journal).toContainEqual(
      expect.objectContaining({
        kind: "hook",
        text: "check, cut-over",
        result: "pass",
        evidence: "all is well",
      }),
    );
  });

  test("one that cannot be called from here is no reason to go back: whoever has it goes on", async () => {
    const hooks = (program: string): RolloutConfig => ({
      approval: ["shift"],
      hooks: [{ name: "tell", before: "shift", run: [program] }],
    });
    await expect(release(context(hooks("no-such-program")), next)).rejects.toMatchObject({
      code: "call-impossible",
    });
    expect(await release(context(hooks("true")), next)).toMatchObject({ kind: "held" });
    await expect(control(context(hooks("no-such-program")), ["approve"])).rejects.toMatchObject({
      code: "call-impossible",
      exitCode: 2,
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(await resume(context(hooks("true")), "resume")).toMatchObject({ kind: "live" });
  });

  test("one that does not pass sends the traffic back, or is only told", async () => {
    bench.hook = () => ({ verdict: "fail", evidence: "no" });
    expect(await release(context(rollout), next)).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "hook-failed", exitCode: 3 },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    const lenient: RolloutConfig = {
      hooks: [{ name: "tell", before: "shift", run: ["true"], onFailure: "continue" }],
    };
    expect(await release(context(lenient), next)).toMatchObject({ kind: "live" });
    expect(bench.events).toContainEqual(expect.objectContaining({ code: "hook-not-passed" }));
  });

  test("one that has not made up its mind is asked again; an abort does not wait for it", async () => {
    const said = ["hold", "hold", "pass"] as const;
    let asked = 0;
    bench.hook = () => ({ verdict: said[asked++] ?? "pass", evidence: "" });
    expect(await release(context(rollout), next)).toMatchObject({ kind: "live" });
    expect(asked).toBe(4);
    bench.hook = () => {
      void askOf(context(rollout), ["abort"]);
      return { verdict: "hold", evidence: "" };
    };
    const end = await release(context(rollout), { template: { image: "fraud:3", replicas: 4 } });
    expect(end).toMatchObject({ state: { outcome: "aborted", reason: "ada@laptop aborted it" } });
  });

  test("that could not be run later are refused before anything is done", async () => {
    const missing: RolloutConfig = { hooks: [{ name: "tell", before: "shift", run: ["no-such-program"] }] };
    await expect(release(context(missing), next)).rejects.toMatchObject({
      code: "call-impossible",
      message: expect.stringContaining("no-such-program"),
      exitCode: 2,
    });
    expect(bench.stack.operations).toEqual([]);
  });

  test("of another configuration file stop the command, not the traffic", async () => {
    bench.hook = () => {
      bench.stop.abort();
      return { verdict: "hold", evidence: "" };
    };
    await expect(release(context(rollout), next)).rejects.toMatchObject({ code: "interrupted" });
    const again = { ...context(), signal: new AbortController().signal };
    await expect(resume(again, "resume")).rejects.toMatchObject({ code: "hook-unknown", exitCode: 2 });
    expect((await context().store.read())?.rollout?.state).toMatchObject({ direction: "forward" });
  });
});

describe("modes", () => {
  test("partial: a share of the replicas, then what each step needs, all of them before the cut-over", async () => {
    const warmed: string[] = [];
    bench.afterMove = ({ weight }) => {
      warmed.push(`${weight} %: ${sizes().at(-1)?.split("|")[1]}`);
    };
    await release(context({ mode: { partial: 25 }, steps: "10%:1s, 50%:1s" }), next);
    expect(sizes()).toEqual(["4|1", "4|2", "4|4"]);
    expect(warmed).toContain("10 %: 1");
    expect(warmed).toContain("50 %: 2");
    expect(warmed).toContain("100 %: 4");
    expect(warmed).not.toContain("100 %: 2");
  });

  test("recreate: one slot at a time; nothing is left of the old one", async () => {
    const end = await release(context({ mode: "recreate", rollbackWindow: 600 }), next);
    expect(end).toMatchObject({ kind: "finished", state: { outcome: "released" } });
    expect(sizes()).toEqual(["0|0", "0|4"]);
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("recreate: where the new release fails, the old one is put back", async () => {
    bench.hook = () => ({ verdict: "fail", evidence: "no" });
    const end = await release(
      context({ mode: "recreate", hooks: [{ name: "check", after: "deploy", run: ["true"] }] }),
      next,
    );
    expect(end).toMatchObject({ state: { outcome: "aborted" }, failure: { code: "hook-failed" } });
    expect(sizes()).toEqual(["0|0", "0|4", "0|0", "4|0"]);
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("that do not go together with the rest are refused before anything is written", async () => {
    const scaled = { template: { image: "fraud:2", autoscaling: { min: 2, max: 8 } } };
    await expect(release(context({ mode: { partial: 50 } }), scaled as never)).rejects.toMatchObject({
      code: "mode-with-autoscaler",
      exitCode: 2,
    });
    expect(bench.stack.operations).toEqual([]);
  });
});

describe("a way back", () => {
  test("never leads to a release that was refused", async () => {
    bench.hook = () => ({ verdict: "fail", evidence: "no" });
    await release(context({ hooks: [{ name: "check", after: "deploy", run: ["true"] }] }), next);
    await expect(rollback(context())).rejects.toMatchObject({ code: "rollback-impossible" });
    await release(context(), { template: { image: "fraud:3", replicas: 4 } });
    expect(await rollback(context())).toMatchObject({
      state: { release: 1, outcome: "released" },
    });
  });

  test("from what drains is an abort; from what is live it is a rollback", async () => {
    let asked = false;
    const ctx = context({ drain: 600 });
    const events = ctx.events;
    const end = await release(
      {
        ...ctx,
        events: (event) => {
          events(event);
          if (asked || event.type !== "phase" || event.phase !== "drain") return;
          asked = true;
          void askOf(context(), ["abort"]);
        },
      },
      next,
    );
    expect(end).toMatchObject({ state: { outcome: "rolled-back" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    await release(context(), { template: { image: "fraud:3", replicas: 4 } });
    await expect(control(context(), ["abort"])).rejects.toMatchObject({ code: "abort-too-late" });
    await expect(control(context(), ["pause"])).rejects.toMatchObject({ code: "nothing-to-pause" });
  });

  test("to a warm slot asks nothing of the mode that the configuration has meanwhile", async () => {
    await release(context(), next);
    const agree = () => Promise.reject(new Error("Nobody is to be asked."));
    const partly = context({ mode: "recreate" });
    expect(
      await rollback(partly, {
        agree: ({ kind }) => (kind === "recreate" ? agree() : Promise.resolve()),
      }),
    ).toMatchObject({
      state: { outcome: "released", release: 1 },
    });
  });
});

describe("recreate", () => {
  const leftBehind = (name: string, metadata: object, status: object) =>
    bench.cluster.put(`/api/v1/namespaces/ml/pods/fraud-blue-${name}`, {
      metadata: {
        uid: name,
        labels: { app: "fraud", version: "blue" },
        ownerReferences: [{ kind: "ReplicaSet", name: "fraud-blue-1", uid: "uid of fraud-blue-1" }],
        ...metadata,
      },
      status,
    });
  const warnings = () =>
    bench.events.flatMap((event) => (event.type === "warning" && event.code === "pods-lost" ? [event] : []));

  test("does not wait for pods that were evicted or have ended, though they stay in the list", async () => {
    leftBehind("evicted", {}, { phase: "Failed", reason: "Evicted" });
    leftBehind("over", {}, { phase: "Succeeded" });
    const startedAt = bench.clock.now();
    expect(await release(context({ mode: "recreate" }), next)).toMatchObject({
      kind: "finished",
      state: { outcome: "released" },
    });
    expect(bench.clock.now() - startedAt).toBeLessThan(60_000);
    expect(warnings()).toEqual([]);
  });

  test("says which pods a dead node keeps, and does not wait for them for ever", async () => {
    const deletionTimestamp = new Date(bench.clock.now() + 5_000).toISOString();
    leftBehind("gone", { deletionTimestamp }, { phase: "Running" });
    expect(await release(context({ mode: "recreate" }), next)).toMatchObject({
      kind: "finished",
      state: { outcome: "released" },
    });
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]?.message).toContain("fraud-blue-gone of blue should have ended");
  });

  test("waits for a window and a person while the old slot still serves", async () => {
    const rollout: RolloutConfig = {
      mode: "recreate",
      approval: ["cut-over"],
      freezes: [{ from: "2026-11-20", to: "2026-12-01", reason: "sales" }],
    };
    expect(await release(context(rollout), next)).toMatchObject({
      kind: "held",
      state: { phase: "deploy" },
      by: { kind: "approval", phase: "deploy" },
    });
    expect(await control(context(rollout), ["approve"])).toMatchObject({
      end: { kind: "held", by: { kind: "window" } },
    });
    expect(await modelStatus(context(rollout))).toMatchObject({
      rollout: { waitsFor: expect.stringContaining("sales") },
    });
    expect(sizes()).toEqual([]);
    expect(await control(context(rollout), ["resume", "ignore-windows"])).toMatchObject({
      end: { kind: "finished", state: { outcome: "released" } },
    });
  });
});
