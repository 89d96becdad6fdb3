import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;
let folder: string;
let asked: Record<string, number>;

const rollout = (cases: string, pace = 1000): RolloutConfig => ({
  gates: [{ name: "same", every: 1, parity: { cases, path: "/predict", pace } }],
});
const context = (pace = 1000) => {
  const { calls, ...rest } = bench.context(templateConfig(rollout("inputs.jsonl", pace)));
  return { ...rest, calls: { ...calls, folder } };
};
const next = { template: { image: "fraud:2", replicas: 2 } };

/** What each slot answers, by the header that leads there. */
function answering(release: (x: number) => number): void {
  bench.ask = ({ path, headers, body }) => {
    if (path !== "/predict") return undefined;
    const header = headers["X-Modelswitch-Preview"] ?? "clients";
    asked[header] = (asked[header] ?? 0) + 1;
    const { x } = JSON.parse(body ?? "{}") as { x: number };
    return { status: 200, body: JSON.stringify({ y: header === "always" ? release(x) : x }) };
  };
}

beforeEach(async () => {
  asked = {};
  folder = await mkdtemp(join(tmpdir(), "modelswitch-parity-"));
  const inputs = Array.from({ length: 400 }, (_, x) => `{"x":${x}}\n`);
  await writeFile(join(folder, "inputs.jsonl"), inputs.join(""));
  bench = testBench();
  await up(context(), noFlags);
});
afterEach(() => rm(folder, { recursive: true }));

describe("parity in a rollout", () => {
  test("asks each slot by its header before clients get to the release, and lets an equal one go live", async () => {
    answering((x) => x);
    expect(await release(context(), next)).toMatchObject({ kind: "live" });
    expect(Object.keys(asked).toSorted()).toEqual(["always", "never"]);
    expect(asked.always).toBe(asked.never);
    expect(asked.always).toBeGreaterThanOrEqual(180);
    expect(asked.always).toBeLessThanOrEqual(400);
  });

  test("keeps clients away from one that answers otherwise, and says how", async () => {
    answering((x) => (x % 8 === 0 ? -x : x));
    expect(await release(context(), next)).toMatchObject({
      state: { outcome: "aborted" },
      failure: { code: "gate-refused", message: expect.stringContaining("other answers than live's") },
    });
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
  });

  test("killed within any look, the release is judged by the evidence that there was, and by all of it", async () => {
    answering((x) => x);
    const { ask } = bench;
    const { intercept } = bench.cluster;
    let killedAt = 0;
    const isKilled = () => (asked.always ?? 0) >= killedAt;
    bench.ask = (request) => {
      if (request.path === "/predict" && isKilled()) throw new Error("killed");
      return ask?.(request);
    };
    // Whoever is killed writes nothing any more.
    bench.cluster.intercept = (request) => {
      if (isKilled()) throw new Error("killed");
      return intercept?.(request);
    };
    const pairs = async () => {
      const gates = (await context(20).store.read())?.rollout?.gates;
      return (gates?.same as { all: { pairs: number } } | undefined)?.all.pairs ?? 0;
    };
    let unheard = 0;
    let known = 0;
    for (const at of [30, 110, 210]) {
      killedAt = at;
      const run = at === 30 ? release(context(20), next) : resume(context(20), "resume");
      await expect(run).rejects.toThrow("killed");
      killedAt = Number.POSITIVE_INFINITY;
      bench.clock.pass(60_000);
      const now = await pairs();
      expect(now).toBeGreaterThanOrEqual(known);
      known = now;
      unheard = (asked.always ?? 0) - now;
    }
    expect(known).toBeGreaterThan(0);
    expect(await resume(context(20), "resume")).toMatchObject({ kind: "live" });
    // Only what a killed look had asked was asked again.
    expect((asked.always ?? 0) - (await pairs())).toBe(unheard);
    expect(JSON.stringify(bench.events)).not.toContain("lost evidence");
  });

  test("evidence that is gone from the record halves alpha, and that is said", async () => {
    answering((x) => x);
    const gone =
      "cannot be read any more, so that it begins anew with less alpha; 1 restart with lost evidence";
    const { intercept } = bench.cluster;
    let isKilled = false;
    const { ask } = bench;
    bench.ask = (request) => {
      isKilled ||= (asked.always ?? 0) >= 150;
      if (request.path === "/predict" && isKilled) throw new Error("killed");
      return ask?.(request);
    };
    bench.cluster.intercept = (request) => {
      if (isKilled) throw new Error("killed");
      return intercept?.(request);
    };
    await expect(release(context(20), next)).rejects.toThrow("killed");
    bench.ask = ask;
    isKilled = false;
    bench.clock.pass(60_000);
    await context(20).store.update((record) => {
      if (record?.rollout === undefined) throw new Error("It is on its way.");
      const { gates: _lost, ...rollout } = record.rollout;
      return { ...record, rollout };
    });
    expect(await resume(context(20), "resume")).toMatchObject({ kind: "live" });
    expect(JSON.stringify(bench.events)).toContain(gone);
  });

  test("a file that is not there is refused before anything is written", async () => {
    const missing = bench.context(templateConfig(rollout("none.jsonl")));
    await expect(release(missing, next)).rejects.toMatchObject({ code: "cases-unreadable" });
  });
});
