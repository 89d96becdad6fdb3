import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failuresOf, ModelProject } from "./model-project.ts";
import { testImages, versionAt } from "./test-cluster.ts";

let project: ModelProject;

const clientsPerSecond = 150;
const path = "/v2/models/demo/infer";
/** The same model under another version: what is compared is the model, not the name that tells slots apart. */
const labels = ["fine", "review", "fraud"];
const model = { MODEL: "1", LABELS: labels.join(",") };

async function write(name: string, lines: readonly object[]): Promise<void> {
  await writeFile(join(project.folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

const asked = { path, answer: "predict" } as const;
const everyGate = [
  { name: "ready", every: 1, phases: ["verify"], smoke: { path: "/v2/models/demo" } },
  {
    name: "known",
    every: 1,
    phases: ["verify"],
    golden: { cases: "golden.jsonl", compare: { absolute: 0.001 }, ...asked },
  },
  {
    name: "same labels",
    parity: { cases: "inputs.jsonl", path, answer: "label", compare: "label", pace: 200 },
  },
  {
    name: "same numbers",
    parity: { cases: "inputs.jsonl", compare: { absolute: 0.001 }, pace: 200, ...asked },
  },
];

async function configured(gates: readonly object[]): Promise<void> {
  await project.configure({
    slots: undefined,
    release: {
      image: testImages.blue,
      replicas: 1,
      imagePullPolicy: "Never",
      env: { VERSION: "1", ...model },
    },
    rollout: {
      settle: 1,
      soak: 1,
      drain: 1,
      rollbackWindow: 600,
      gates,
    },
  });
}

const release = async (version: string, ...more: string[]) => {
  const set = [`image=${testImages.green}`, `env.VERSION=${version}`, ...more];
  return await project.command(["release", "--json", ...set.flatMap((one) => ["--set", one])]);
};

beforeEach(async () => {
  project = await ModelProject.create("parity");
  await write(
    "inputs.jsonl",
    Array.from({ length: 300 }, (_, index) => ({ input: [(index % 30) / 10, Math.floor(index / 30)] })),
  );
  // y = 1 + 0.6 x0 + 0.3 x1
  await write("golden.jsonl", [
    { id: "small", input: [1, 2], expected: 2.2 },
    { id: "rare", input: [9, 0], expected: 6.4 },
  ]);
  await configured(everyGate);
  await project.result(["up"]);
});

afterEach(async () => {
  await project.remove();
});

const failed = (stdout: string) =>
  new Set([...stdout.matchAll(/"name":"([^"]+)"[^\n]*?"verdict":"fail"/g)].map(([, name]) => name));

describe("a verdict on the model's answers", () => {
  test("an equal model goes live; the same question is asked outside a release", {
    timeout: 480_000,
  }, async () => {
    const stop = new AbortController();
    // Own requests to live are at most a tenth of these.
    const load = project.startQuickLoad(clientsPerSecond, stop.signal, ["1", "6"]);
    try {
      const identical = await release("6");
      expect(identical.exitCode, identical.stdout).toBe(0);
      expect(identical.stdout).toMatch(/"name":"same numbers"[^\n]*"verdict":"pass"/);
      expect(await versionAt(project.host)).toBe("6");
      const seen = await load.stop();
      expect(seen.failed, failuresOf(seen)).toBe(0);
      expect(Object.keys(seen.versions).toSorted()).toEqual(["1", "6"]);
    } finally {
      stop.abort();
    }
    // The former release is still warm beside it: the same question outside a release.
    const alike = await project.result(["compare", "--gate", "same numbers"]);
    expect(alike).toMatchObject({ verdict: "pass", model: "fraud" });
    await project.result([
      "record",
      "--gate",
      "same numbers",
      "--inputs",
      "20",
      "--pace",
      "200",
      "--out",
      "made.jsonl",
    ]);
    const made = (await readFile(join(project.folder, "made.jsonl"), "utf8")).trim().split("\n");
    expect(made).toHaveLength(20);
    const [{ input, expected }] = made.map(
      (line) => JSON.parse(line) as { input: number[]; expected: number },
    ) as [{ input: number[]; expected: number }];
    expect(expected).toBeCloseTo(1 + 0.6 * (input[0] ?? 0) + 0.3 * (input[1] ?? 0), 6);
  });

  test("a class that has died out is a drift, by the answers of the live model that somebody recorded", {
    timeout: 240_000,
  }, async () => {
    // As the live model answers: y = 1 + 0.6 x0 + 0.3 x1, and the label goes by its whole part.
    await write(
      "recorded.jsonl",
      Array.from({ length: 500 }, (_, index) => {
        const input = [(index % 30) / 10, Math.floor(index / 50)] as const;
        const expected = labels[Math.floor(1 + 0.6 * input[0] + 0.3 * input[1] + 1e-9) % labels.length];
        return { input, expected };
      }),
    );
    const drift = { cases: "recorded.jsonl", live: "recorded", path, answer: "label", pace: 10, fail: true };
    await configured([{ name: "spread", drift }]);
    const stop = new AbortController();
    const load = project.startQuickLoad(clientsPerSecond, stop.signal, ["1"]);
    try {
      const timid = await release("2", "env.LABELS=fine,fine,fraud");
      expect(timid.exitCode, timid.stdout).toBe(3);
      expect(failed(timid.stdout)).toEqual(new Set(["spread"]));
      expect(timid.stdout).toContain("the predictions have drifted");
      expect(await project.result(["report"])).toMatchObject({
        verdicts: expect.arrayContaining([expect.objectContaining({ gate: "spread", verdict: "fail" })]),
      });
      const seen = await load.stop();
      expect(seen.failed, failuresOf(seen)).toBe(0);
    } finally {
      stop.abort();
    }
  });
});
