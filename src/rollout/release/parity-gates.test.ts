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

const rollout = (cases: string): RolloutConfig => ({
  gates: [{ name: "same", every: 1, parity: { cases, path: "/predict", pace: 1000 } }],
});
const context = () => {
  const { calls, ...rest } = bench.context(templateConfig(rollout("inputs.jsonl")));
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

  describe("killed within a look", { timeout: 120_000 }, () => {
    let killedAt = Number.POSITIVE_INFINITY;
    const kept = async () =>
      (await context().store.read())?.rollout?.gates?.same as
        | { readonly all: { readonly pairs: number }; readonly asked: { readonly release: number } }
        | undefined;

    beforeEach(async () => {
      // A look asks 500; two answers of a hundred and a few differ, so that one look decides nothing.
      const inputs = Array.from({ length: 2_000 }, (_, x) => `{"x":${x}}\n`);
      await writeFile(join(folder, "inputs.jsonl"), inputs.join(""));
      answering((x) => (x % 42 === 0 ? -x : x));
      const { ask } = bench;
      const { intercept } = bench.cluster;
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
    });

    async function killed(at: number, run: () => Promise<unknown>): Promise<void> {
      killedAt = at;
      await expect(run()).rejects.toThrow("killed");
      killedAt = Number.POSITIVE_INFINITY;
      bench.clock.pass(60_000);
    }
    const resumed = () => resume(context(), "resume");

    test("it goes on with the evidence of all looks before, and asks again what that one had asked", async () => {
      await killed(300, () => release(context(), next));
      expect(await kept()).toBeUndefined();
      await killed(900, resumed);
      expect(await kept()).toMatchObject({ all: { pairs: 500 }, asked: { release: 500 } });
      await resumed();
      // 700 were asked in vain; what came before the second kill counted.
      expect(asked.always).toBeGreaterThan(700 + 500);
      expect(JSON.stringify(bench.events)).not.toContain("lost evidence");
    });

    test("and robbed of its evidence, it has half of its alpha left and says so", async () => {
      await killed(600, () => release(context(), next));
      expect(await kept()).toMatchObject({ all: { pairs: 500 } });
      await context().store.update((record) => {
        if (record?.rollout === undefined) throw new Error("It is on its way.");
        const { gates: _lost, ...rollout } = record.rollout;
        return { ...record, rollout };
      });
      await killed(1_300, resumed);
      expect(await kept()).toMatchObject({ lostEvidence: 1, since: { all: { pairs: 500 } } });
      expect(JSON.stringify(bench.events)).toContain("1 restart with lost evidence");
    });
  });

  test("a file that is not there is refused before anything is written", async () => {
    const missing = bench.context(templateConfig(rollout("none.jsonl")));
    await expect(release(missing, next)).rejects.toMatchObject({ code: "cases-unreadable" });
  });
});
