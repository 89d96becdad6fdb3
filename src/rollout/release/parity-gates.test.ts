import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release } from "../commands/release.ts";
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

  test("a file that is not there is refused before anything is written", async () => {
    const missing = bench.context(templateConfig(rollout("none.jsonl")));
    await expect(release(missing, next)).rejects.toMatchObject({ code: "cases-unreadable" });
  });
});
