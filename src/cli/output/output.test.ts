import { describe, expect, test } from "vitest";
import { Captured } from "../../../test/unit/run-main.ts";
import type { Clock } from "../../core/clock.ts";
import type { Event, StepEvent } from "../../core/events.ts";
import { operationText } from "./changes.ts";
import { colorsFor } from "./colors.ts";
import { createRenderer, isLive } from "./create-renderer.ts";
import { formatBytes, formatProgress, formatRemaining, formatTable } from "./format.ts";
import { plainRenderer } from "./plain.ts";
import { StepTree } from "./steps.ts";
import { treeLines } from "./terminal.ts";

const noColors = colorsFor(new Captured(), {});

class TestClock implements Clock {
  at = 0;
  now() {
    return this.at;
  }
  async sleep() {}
}

const stepEvent = (id: string, state: StepEvent["state"], more: Partial<StepEvent> = {}): StepEvent => ({
  type: "step",
  id,
  title: id,
  state,
  ...more,
});

describe("numbers for people", () => {
  test("estimates are rounded", () => {
    expect(formatRemaining(400)).toBe("about 1 s left");
    expect(formatRemaining(45_000)).toBe("about 45 s left");
    expect(formatRemaining(345_000)).toBe("about 6 min left");
  });

  test("progress, with bytes as such", () => {
    expect(formatProgress({ done: 312, total: 1210, unit: "packages" })).toBe("312 of 1210 packages (25 %)");
    expect(formatProgress({ done: 1_500_000, total: 119_000_000, unit: "bytes" })).toBe(
      "1.5 MB of 119 MB (1 %)",
    );
    expect(formatProgress({ done: 5, total: 0, unit: "packages" })).toBe("5 packages");
    expect(formatBytes(999)).toBe("999 B");
  });

  test("tables are aligned", () => {
    expect(
      formatTable([
        ["a", "bb", "c"],
        ["aaa", "b", ""],
      ]),
    ).toEqual(["a    bb  c", "aaa  b"]);
  });
});

describe("steps", () => {
  test("nest, and keep what a later event leaves unsaid until they end", () => {
    const tree = new StepTree();
    tree.apply(stepEvent("up", "started"), 0);
    tree.apply(stepEvent("build", "started", { parent: "up" }), 0);
    tree.apply(
      stepEvent("build", "progress", { parent: "up", progress: { done: 1, total: 4, unit: "files" } }),
      100,
    );
    tree.apply(stepEvent("build", "progress", { parent: "up", detail: "linking" }), 200);
    expect(treeLines(tree, "up", 5000, noColors, 80)).toEqual([
      expect.stringMatching(/^. up · 5\.0 s$/),
      expect.stringMatching(/^ {2}. build · 1 of 4 files \(25 %\), linking · 5\.0 s$/),
    ]);
    tree.apply(stepEvent("build", "done", { parent: "up", detail: "119 MB" }), 6000);
    expect(treeLines(tree, "up", 6000, noColors, 80)[1]).toBe("  ✔ build · 119 MB · 6.0 s");
    expect(tree.isSettled("up")).toBe(false);
    tree.apply(stepEvent("up", "failed", { detail: "no" }), 6000);
    expect(tree.isSettled("up")).toBe(true);
    tree.drop("up");
    expect(tree.roots).toEqual([]);
  });

  test("resources that Pulumi changes belong to the step that runs", () => {
    const tree = new StepTree();
    const change = {
      type: "resource",
      operation: "update",
      urn: "u",
      kind: "Ingress",
      name: "fraud",
    } as const;
    tree.apply(stepEvent("write", "started"), 0);
    tree.apply({ ...change, status: "started" }, 0);
    tree.apply({ ...change, status: "done", changedProperties: ["spec.rules"] }, 300);
    expect(treeLines(tree, "write", 300, noColors, 80)[1]).toBe(
      "  ✔ Update Ingress fraud · spec.rules · 0.3 s",
    );
    expect(tree.apply({ ...change, urn: "v", status: "planned" }, 0)).toBeUndefined();
    expect(tree.apply({ ...change, urn: "v", operation: "same", status: "done" }, 0)).toBeUndefined();
  });

  test("a running step fits one line, a finished one is told in full", () => {
    const tree = new StepTree();
    const detail = "x".repeat(100);
    tree.apply(stepEvent("a", "started", { detail }), 0);
    expect(treeLines(tree, "a", 0, noColors, 40)[0]).toHaveLength(40);
    tree.apply(stepEvent("a", "done", { detail }), 0);
    expect(treeLines(tree, "a", 0, noColors, 40)[0]).toContain(detail);
  });
});

describe("plain lines", () => {
  const lines = (feed: (send: (event: Event, at?: number) => void) => void): string[] => {
    const stderr = new Captured();
    const clock = new TestClock();
    const renderer = plainRenderer({
      json: false,
      output: "long",
      env: {},
      clock,
      stdout: new Captured(),
      stderr,
    });
    feed((event, at = 0) => {
      clock.at = at;
      renderer.event(event);
    });
    return stderr.text.split("\n").slice(0, -1);
  };

  test("repeat progress at most every ten seconds, and only when it has moved", () => {
    const progress = (done: number) =>
      stepEvent("build", "progress", { progress: { done, total: 100, unit: "packages" } });
    const found = lines((send) => {
      send(stepEvent("build", "started"));
      for (let second = 1; second <= 35; second++) send(progress(Math.min(second, 12)), second * 1000);
      send(stepEvent("build", "done"), 36_000);
    });
    expect(found).toEqual([
      "build ...",
      "build: 10 of 100 packages (10 %)",
      "build: 12 of 100 packages (12 %)",
      "build: done in 36 s",
    ]);
  });

  test("show parents by indentation, warnings with their hint, failures in capitals", () => {
    const found = lines((send) => {
      send(stepEvent("up", "started"));
      send(stepEvent("write", "started", { parent: "up" }));
      send({ type: "warning", code: "w", message: "Mind this.", hint: "Do that." });
      send(stepEvent("write", "failed", { parent: "up", detail: "conflict" }), 200);
      send({ type: "info", message: "As it is." });
      send(stepEvent("up", "interrupted"), 300);
    });
    expect(found).toEqual([
      "up ...",
      "  write ...",
      "warning: Mind this. Do that.",
      "  write: FAILED in 0.2 s (conflict)",
      "As it is.",
      "up: interrupted in 0.3 s",
    ]);
  });
});

describe("the choice of the view", () => {
  test("a live one on a terminal only", () => {
    expect(isLive(new Captured(true), {})).toBe(true);
    expect(isLive(new Captured(false), {})).toBe(false);
    expect(isLive(new Captured(true), { CI: "1" })).toBe(false);
    expect(isLive(new Captured(true), { TERM: "dumb" })).toBe(false);
    expect(isLive({ write: () => true, isTTY: true, columns: 0 }, {})).toBe(false);
  });

  test("colours by NO_COLOR, FORCE_COLOR and the stream", () => {
    const red = (tty: boolean, env: Record<string, string>) =>
      colorsFor(new Captured(tty), env).red("x") !== "x";
    expect(red(true, {})).toBe(true);
    expect(red(false, {})).toBe(false);
    expect(red(true, { NO_COLOR: "1" })).toBe(false);
    expect(red(false, { FORCE_COLOR: "1" })).toBe(true);
    expect(red(true, { FORCE_COLOR: "0" })).toBe(false);
  });

  test("a live view shows nested work, gives way to questions and keeps what is over", async () => {
    const stderr = new Captured(true);
    const clock = new TestClock();
    const renderer = await createRenderer({
      json: false,
      output: "long",
      env: {},
      clock,
      stdout: new Captured(),
      stderr,
    });
    renderer.event(stepEvent("up", "started"));
    renderer.event(stepEvent("write", "started", { parent: "up", detail: "Ingress" }));
    expect(stderr.text).toContain("Ingress");
    renderer.suspend();
    const before = stderr.text.length;
    renderer.event(stepEvent("write", "done", { parent: "up", detail: "hidden" }));
    expect(stderr.text.slice(before)).not.toContain("hidden");
    renderer.resume();
    renderer.event({ type: "warning", code: "w", message: "Mind this." });
    renderer.event(stepEvent("up", "done"));
    renderer.stop();
    expect(stderr.text.slice(before)).toMatch(/Mind this\.[\s\S]*up[\s\S]*write/);
  });
});

test("what Pulumi changed, property by property", () => {
  const result = {
    changes: [
      { operation: "create", urn: "a", kind: "Service", name: "fraud-blue", properties: [] },
      {
        operation: "update",
        urn: "b",
        kind: "Ingress",
        name: "fraud",
        properties: [
          { path: "spec.name", before: "blue", after: "green" },
          { path: "new", after: { a: 1 } },
          { path: "old", before: 5 },
        ],
      },
    ],
    same: 3,
    outputs: { endpoint: "a.b", nothing: undefined },
    durationMs: 1200,
  } as const;
  expect(operationText(result, { planned: true, outputs: true })).toEqual([
    "+ Service fraud-blue",
    "~ Ingress fraud",
    "    spec.name: blue → green",
    '    new: {"a":1} (new)',
    "    old: 5 (removed)",
    "1 to create, 1 to update; 3 unchanged (1.2 s).",
    "Outputs:",
    "  endpoint: a.b",
    "  nothing: undefined",
  ]);
  expect(operationText({ ...result, changes: [] }, { planned: false, outputs: false })).toEqual([
    "Nothing to change; 3 unchanged (1.2 s).",
  ]);
});
