import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import type { GateIo, GateSubject } from "./io.ts";
import { labelsGate } from "./labels.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-labels-"));
  const lines = Array.from({ length: 1200 }, (_, index) => ({
    x: index,
    label: index % 2 === 0 ? "a" : "b",
  }));
  await writeFile(join(folder, "cases.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
});
afterEach(() => rm(folder, { recursive: true }));

type Model = (x: number) => string;
const right: Model = (x) => (x % 2 === 0 ? "a" : "b");
const wrongEvery =
  (every: number, first = 0): Model =>
  (x) =>
    x % every === first ? "c" : right(x);

async function judged(models: { readonly live: Model; readonly release: Model }) {
  let live = 0;
  const io: GateIo = {
    calls: callIo({ folder }),
    reach: () => Promise.resolve(reach),
    counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
    pods: () => Promise.reject(new Error("Nobody asks for pods.")),
    ask: ({ route, body }) => {
      const { x } = JSON.parse(body ?? "{}") as { x: number };
      if (route === "live") live += 1;
      const said = JSON.stringify({ class: (route === "live" ? models.live : models.release)(x) });
      return Promise.resolve({ kind: "answer", answer: { status: 200, body: said }, latencyMs: 5 });
    },
  };
  const asking = { cases: "cases.jsonl", path: "/p", answer: "class", compare: "label", pace: 1000 } as const;
  const gate = {
    name: "labels",
    phases: ["verify"] as const,
    everyMs: 10,
    failures: 1,
    onInconclusive: "hold" as const,
    ...labelsGate.settings({ labels: asking }, 1_000),
  };
  const verify: GateSubject = { ...subject, phase: "verify" };
  let memory: unknown;
  for (let looks = 0; looks < 20; looks++) {
    const looked = await labelsGate.look({ io, memory }, gate, verify, new AbortController().signal);
    memory = JSON.parse(JSON.stringify(looked.memory));
    if (looked.said.verdict !== "hold") return { ...looked.said, live };
  }
  throw new Error("No verdict.");
}

describe("labels", () => {
  test("a release that is wrong where live is right is sent back", async () => {
    const said = await judged({ live: wrongEvery(50), release: wrongEvery(10) });
    expect(said).toMatchObject({
      verdict: "fail",
      evidence: expect.stringMatching(
        /^wrong where live is right: .*; for example case .*"c" instead of "[ab]"/,
      ),
    });
  });

  test("one that is wrong as often, in other cases, passes, and so does one that is better; live is asked once", async () => {
    const equal = await judged({ live: wrongEvery(100), release: wrongEvery(100, 1) });
    expect(equal.verdict).toBe("pass");
    expect(equal.live).toBeLessThanOrEqual(1200);
    expect((await judged({ live: wrongEvery(10), release: wrongEvery(50) })).verdict).toBe("pass");
  });

  test("cases without a right answer are refused before a rollout", async () => {
    await writeFile(join(folder, "cases.jsonl"), '{"x":1}\n');
    const settings = labelsGate.settings({ labels: { cases: "cases.jsonl", path: "/p" } }, 1_000);
    await expect(labelsGate.require?.(settings, folder)).rejects.toThrow(
      "cases.jsonl:1, expected: is missing",
    );
  });
});
