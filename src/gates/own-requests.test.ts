import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveGate } from "../config/rollout/rollout-calls.ts";
import type { GateConfig } from "../config/rollout/rollout-types.ts";
import { describeRequests, gateRequests } from "./own-requests.ts";

test("what a release sends itself, and where, is known before it begins", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-requests-"));
  try {
    const line = (index: number) => `{"input":[${index}],"expected":1}\n`;
    await writeFile(join(folder, "c.jsonl"), Array.from({ length: 300 }, (_, index) => line(index)).join(""));
    const asking = { cases: "c.jsonl", path: "/v2/models/m/infer" };
    const written: GateConfig[] = [
      { name: "known", golden: asking },
      { name: "same", parity: { ...asking, compare: "label" } },
      { name: "close", parity: { ...asking, compare: { absolute: 1 }, inputs: 100, pace: 10 } },
      { name: "right", labels: asking },
      { name: "ask", request: { path: "/x", requests: 5 } },
      { name: "ready", smoke: { path: "/v2/models/m" } },
      { name: "program", run: ["true"] },
      { name: "gone", golden: { ...asking, cases: "none.jsonl" } },
    ];
    const gates = written.map(resolveGate);
    const found = await gateRequests(gates, folder);
    expect(found.map(describeRequests)).toEqual([
      "known sends up to 300 requests to the release.",
      "same sends up to 300 requests to the release, 300 to 600 to the live one at most 5 a second, 1 min to 2 min.",
      "close sends up to 100 requests to the release, 200 to the live one at most 10 a second, 20 s.",
      "right sends up to 300 requests to the release, 300 to the live one at most 5 a second, 1 min.",
      "ask sends 5 requests to the release in each look, every 10 s.",
      "ready sends 2 requests to the release, 1 to the live one in each look, every 10 s.",
      expect.stringMatching(
        /^gone sends requests that cannot be counted: The cases in none.jsonl cannot be read/,
      ),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
