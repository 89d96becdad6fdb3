import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { control } from "../commands/steer.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;

const context = (rollout: RolloutConfig = {}) => bench.context(templateConfig(rollout));
const next = { template: { image: "fraud:2", replicas: 2 } };
const smoke: RolloutConfig = {
  steps: "50%:1m",
  gates: [{ name: "smoke", request: { path: "/predict", body: { x: 1 }, expect: { json: { path: "y" } } } }],
};
const split = () => splitNow(context());

/** What the new release answers to the gate's request. */
function answering(what: () => { status: number; body: string }): void {
  bench.ask = ({ path }) => (path === "/predict" ? what() : undefined);
}

/** The node starts a pod's container again. */
function restart(pod: string): void {
  const path = `/api/v1/namespaces/${testNamespace}/pods/${pod}`;
  const found = bench.cluster.get(path) as { status?: object };
  const lastState = { terminated: { reason: "OOMKilled", exitCode: 137 } };
  const containerStatuses = [{ name: "model", restartCount: 1, lastState }];
  bench.cluster.put(path, { ...found, status: { ...found.status, containerStatuses } } as never);
}

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
});

describe("gates in a rollout", () => {
  test("ask the new release by the preview header before clients do, and where clients' requests go afterwards", async () => {
    const asked: string[] = [];
    bench.ask = ({ path, method, body, headers }) => {
      if (path !== "/predict") return undefined;
      asked.push(`${method} ${body} ${headers["X-Modelswitch-Preview"] ?? "as clients"}`);
      return { status: 200, body: '{"y":1}' };
    };
    expect(await release(context(smoke), next)).toMatchObject({ kind: "live" });
    expect(asked[0]).toBe('POST {"x":1} always');
    expect(asked.at(-1)).toBe('POST {"x":1} as clients');
    const journal = (await context().store.read())?.rollout?.journal;
    expect(journal).toContainEqual(
      expect.objectContaining({ kind: "gate", text: "smoke, verify", result: "pass" }),
    );
  });

  test("one that fails while verifying keeps clients away from the release", async () => {
    answering(() => ({ status: 200, body: "{}" }));
    const end = await release(context(smoke), next);
    expect(end).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "gate-refused", exitCode: 3, message: expect.stringContaining("smoke") },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("one that fails after the cut-over rolls the release back by itself", async () => {
    let isLive = false;
    bench.afterMove = (routing) => {
      isLive ||= routing.main === "green";
    };
    answering(() => (isLive ? { status: 500, body: "no model" } : { status: 200, body: '{"y":1}' }));
    const end = await release(context(smoke), next);
    expect(end).toMatchObject({ state: { outcome: "rolled-back" }, failure: { code: "gate-refused" } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("a certificate that is not trusted judges nothing, unless the gate says that any will do", async () => {
    const verified = new Set<boolean | undefined>();
    bench.ask = ({ path, verified: isVerified }) => {
      if (path !== "/predict") return undefined;
      verified.add(isVerified);
      if (isVerified !== true) return { status: 200, body: '{"y":1}' };
      throw Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    };
    expect(await release(context(smoke), next)).toMatchObject({ kind: "held", by: { kind: "gates" } });
    expect(JSON.stringify(bench.events)).toContain("set insecure: true in the gate's request");
    const [gate] = smoke.gates ?? [];
    if (gate?.request === undefined) throw new Error("It asks.");
    const insecure = { ...smoke, gates: [{ ...gate, request: { ...gate.request, insecure: true } }] };
    expect(await resume(context(insecure), "resume")).toMatchObject({ kind: "live" });
    expect([...verified]).toEqual([true, false]);
  });

  test("one that cannot tell holds the rollout; a person goes on", async () => {
    bench.ask = ({ path }) => {
      if (path === "/predict") throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return undefined;
    };
    const end = await release(context(smoke), next);
    expect(end).toMatchObject({ kind: "held", by: { kind: "gates" }, state: { phase: "verify" } });
    const promoted = await control(context(smoke), ["promote"]);
    expect(promoted).toMatchObject({ end: { kind: "live" } });
  });

  test("are not asked where somebody skips them, which is recorded", async () => {
    answering(() => ({ status: 500, body: "" }));
    expect(await release(context(smoke), { ...next, skipGates: true })).toMatchObject({ kind: "live" });
    expect((await context().store.read())?.rollout?.skipped).toEqual(["gates (--skip-gates), by ada@laptop"]);
  });

  test.each(["shift", "soak"] as const)(
    "a pod that restarts while no command runs, in the phase %s, is found out by the next one",
    async (phase) => {
      const rollout: RolloutConfig = { ...smoke, soak: 60 };
      const intercept = bench.cluster.intercept;
      let looks = 0;
      answering(() => {
        if (bench.events.findLast((event) => event.type === "phase")?.phase === phase) looks += 1;
        return { status: 200, body: '{"y":1}' };
      });
      bench.cluster.intercept = (request) => {
        if (looks >= 2) throw new Error("killed");
        return intercept?.(request);
      };
      await expect(release(context(rollout), next)).rejects.toThrow("killed");
      bench.cluster.intercept = intercept;
      bench.clock.pass(60_000);
      const entry = (await context().store.read())?.rollout;
      expect(entry).toMatchObject({
        state: { phase },
        gates: { pods: { "fraud-green-0": { restarts: 0 } } },
      });

      restart("fraud-green-0");
      const end = await resume(context(rollout), "resume");
      expect(end).toMatchObject({
        state: { outcome: phase === "soak" ? "rolled-back" : "aborted" },
        failure: { code: "gate-refused", message: expect.stringContaining("fraud-green-0 restarted once") },
      });
      expect(await split()).toEqual({ blue: 100, green: 0 });
      expect((await context().store.read())?.rollout).not.toHaveProperty("pods");
    },
  );

  test("a pod that restarts while the release is watched rolls it back, without any gate in the configuration", async () => {
    bench.afterMove = (routing) => {
      if (routing.main !== "green" || routing.candidate !== "blue") return;
      // It was ready when the gate looked first.
      setTimeout(() => restart("fraud-green-1"), 0);
    };
    const end = await release(context({ soak: 3_600 }), next);
    expect(end).toMatchObject({
      state: { outcome: "rolled-back", reason: expect.stringContaining("OOMKilled") },
    });
  });
});
