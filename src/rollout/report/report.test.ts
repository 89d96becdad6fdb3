import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";
import { digestOf } from "../record/report.ts";
import type { RolloutReport } from "../record/rollout-report.ts";
import { progressMarkdown, reportMarkdown } from "./markdown.ts";

let bench: TestBench;

const config = templateConfig({ rollbackWindow: 0, steps: "25%:10s" });

async function reports(): Promise<RolloutReport[]> {
  const record = await bench.context(config).store.read();
  return (record?.rollouts ?? []).flatMap(({ report }) => (report === undefined ? [] : [report]));
}

beforeEach(async () => {
  bench = testBench();
  await up(bench.context(config), noFlags);
  const template = { image: "fraud:2", replicas: 2, env: { TOKEN: "value of a variable" } };
  await release(bench.context(config), { template, skipGates: true });
  await rollback(bench.context(config));
});

describe("the report of a rollout", () => {
  test("says who, when, what changed, what was seen, and how it ended", async () => {
    const [first] = await reports();
    expect(first).toMatchObject({
      type: "rollout-report",
      model: "fraud",
      namespace: "ml",
      rollout: 1,
      kind: "release",
      outcome: "released",
      by: "ada@laptop",
      release: { number: 2, image: "fraud:2" },
      replaced: { number: 1, image: "fraud:1" },
      skipped: ["gates (--skip-gates), by ada@laptop"],
    });
    expect(first?.changes.join("\n")).toContain("fraud:2");
    expect(first?.phases.map(({ phase }) => phase)).toEqual([
      "deploy",
      "warm-up",
      "verify",
      "shift",
      "cut-over",
      "soak",
      "drain",
      "scale-down",
    ]);
    const shift = first?.journal.find(({ text }) => text.includes("Prove it at the ingress"));
    expect(shift).toMatchObject({
      kind: "step",
      result: "done",
      evidence: expect.stringContaining("answers"),
    });
    const all = first?.phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
    expect(all).toBe(first?.durationMs);
  });

  test("has a digest that anybody can compute, and names the one before it", async () => {
    const [first, second] = await reports();
    if (first === undefined || second === undefined) throw new Error("There are two rollouts.");
    expect(first.sha256).toBe(digestOf(first));
    expect(first.previousSha256).toBe(null);
    expect(second.previousSha256).toBe(first.sha256);
    const byOthers = `import hashlib, json, sys
d = json.load(sys.stdin); d.pop("sha256")
print(hashlib.sha256(json.dumps(d, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest())`;
    const computed = execFileSync("python3", ["-c", byOthers], { input: JSON.stringify(first) });
    expect(computed.toString().trim()).toBe(first.sha256);
    expect(digestOf({ ...first, by: "eve@laptop" })).not.toBe(first.sha256);
  });

  test("in Markdown is one table per question, and holds no value of a variable", async () => {
    const [first] = await reports();
    if (first === undefined) throw new Error("There is one.");
    const text = reportMarkdown(first);
    expect(text).toContain("# fraud in ml: release of release 2 (rollout 1)");
    expect(text).toContain("| shift |");
    expect(text).toContain(first.sha256);
    expect(text + JSON.stringify(first)).not.toContain("value of a variable");
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) expect(line).toMatch(/\|$/);
  });
});

test("in Markdown times are read at a glance; as JSON they are milliseconds", async () => {
  const [first] = await reports();
  if (first === undefined) throw new Error("There is one.");
  const night = 31_624_000;
  const slow: RolloutReport = {
    ...first,
    durationMs: night,
    phases: [{ phase: "soak", startedAt: first.startedAt, durationMs: night }],
    journal: [
      { at: first.startedAt, kind: "step", text: "Drain blue", result: "done", durationMs: 185_000 },
      { at: first.startedAt, kind: "step", text: "Arm green", result: "done", durationMs: 420 },
    ],
  };
  const text = reportMarkdown(slow);
  expect(text).toContain(`| ended | ${first.endedAt}, after 8 h 47 min |`);
  expect(text).toContain(`| soak | ${first.startedAt} | 8 h 47 min |`);
  expect(text).toContain("| Drain blue | done in 3 min 5 s |");
  expect(text).toContain("| Arm green | done in 0.4 s |");
});

test("of a rollout in progress, what was seen so far can be shown", async () => {
  bench.afterMove = (routing) => {
    if (routing.weight === 25) bench.stop.abort();
  };
  await release(bench.context(config), { template: { image: "fraud:3", replicas: 2 } }).catch(
    () => undefined,
  );
  const entry = (await bench.context(config).store.read())?.rollout;
  if (entry === undefined) throw new Error("There is one.");
  expect(progressMarkdown("fraud", entry)).toContain("Prove");
});
