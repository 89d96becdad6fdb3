import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testConfig } from "../../../test/support/rollout-bench.ts";
import { askingOf } from "../../gates/asking.ts";
import { recordGolden } from "../../gates/record-golden.ts";
import { askedSlots } from "./both-slots.ts";
import { up } from "./up.ts";

let bench: TestBench;
let folder: string;
beforeEach(async () => {
  bench = testBench();
  folder = await mkdtemp(join(tmpdir(), "modelswitch-slots-"));
});
afterEach(() => rm(folder, { recursive: true }));

const request = {
  path: "/predict",
  method: "POST",
  headers: {},
  body: "{}",
  insecure: false,
  timeoutMs: 1_000,
  signal: new AbortController().signal,
} as const;

/** Who was asked, by the preview header. */
function answering(answer: (header: string | undefined, body: string) => unknown): (string | undefined)[] {
  const asked: (string | undefined)[] = [];
  bench.ask = ({ path, headers, body }) => {
    if (path !== "/predict") return undefined;
    asked.push(headers["X-Modelswitch-Preview"]);
    return { status: 200, body: JSON.stringify(answer(headers["X-Modelswitch-Preview"], body ?? "")) };
  };
  return asked;
}

describe("asking slots outside a rollout", () => {
  test("both are proved, and each is asked by its header", async () => {
    await up(bench.context(testConfig()), noFlags);
    const asked = answering(() => ({}));
    const { live, ask, stillSo } = await askedSlots(bench.context(testConfig()));
    expect(live).toBe("blue");
    await ask({ route: "live", ...request });
    await ask({ route: "release", ...request });
    expect(asked).toEqual(["never", "always"]);
    await stillSo();
  });

  test("a slot without pods is said, but where only the live one is asked", async () => {
    await up(bench.context(templateConfig()), noFlags);
    await expect(askedSlots(bench.context(templateConfig()))).rejects.toMatchObject({
      code: "slot-not-ready",
      message: "green has no pods, so that nothing answers in it.",
    });
    expect(await askedSlots(bench.context(templateConfig()), { only: "live" })).toMatchObject({
      live: "blue",
    });
  });

  test("an ingress that leads the header to the wrong slot is no ground for a comparison", async () => {
    await up(bench.context(testConfig()), noFlags);
    const { answer } = bench;
    bench.answer = (_, host) => answer("never", host);
    await expect(askedSlots(bench.context(testConfig()))).rejects.toMatchObject({ code: "preview-unproved" });
  });

  test("what live answers twice the same way is recorded, the rest is left out and said; masks are of what is asked", async () => {
    await up(bench.context(testConfig()), noFlags);
    let times = 0;
    const bodies: string[] = [];
    answering((_, body) => {
      bodies.push(body);
      const { x } = JSON.parse(body) as { x: number };
      times += 1;
      return { y: x === 2 ? times : x * 10 };
    });
    await writeFile(join(folder, "inputs.jsonl"), "");
    const context = bench.context(testConfig());
    const { ask } = await askedSlots(context, { only: "live" });
    const { lines, leftOut } = await recordGolden({
      io: { ask, calls: context.calls },
      asking: askingOf({ cases: "x", path: "/predict", answer: "y", mask: ["input.name"] }, 1_000),
      cases: [1, 2, 3].map((x) => ({ id: `c${x}`, line: x, input: { x, name: "Ada" }, expected: undefined })),
      pace: 100,
      signal: new AbortController().signal,
      onCase: () => Promise.resolve(),
      onPause: () => {},
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: "c1", input: { x: 1, name: "[masked]" }, expected: 10 },
      { id: "c3", input: { x: 3, name: "[masked]" }, expected: 30 },
    ]);
    expect(leftOut).toEqual([{ id: "c2", why: expect.stringContaining("answers otherwise") }]);
    expect(bodies.join()).not.toContain("Ada");
  });
});
