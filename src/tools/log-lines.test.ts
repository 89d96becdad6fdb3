import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lastLinesOfFile } from "./log-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "modelswitch-log-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, "component.log");
  writeFileSync(path, text);
  return path;
}

test.each([
  ["", 5, []],
  ["one\n", 5, ["one"]],
  ["one\ntwo\nthree\n", 2, ["two", "three"]],
  // The last line is being written.
  ["one\ntwo\nthr", 2, ["two", "thr"]],
  ["one\n\ntwo\n", 2, ["", "two"]],
  ["one\ntwo\n", 0, []],
  ["one\ntwo\n", Number.POSITIVE_INFINITY, ["one", "two"]],
])("the end of %j: %i lines", (text, count, lines) => {
  expect(lastLinesOfFile(file(text), count)).toEqual(lines);
});

test("lines across blocks are whole", () => {
  const lines = Array.from({ length: 3_000 }, (_, index) => `${index} ${"ü".repeat(index % 90)}`);
  const path = file(`${lines.join("\n")}\n`);
  for (const count of [1, 700, 2_999, 3_000, 4_000]) {
    expect(lastLinesOfFile(path, count)).toEqual(lines.slice(-count));
  }
});

test("without a file there are none", () => {
  expect(lastLinesOfFile(join(folder, "nothing"), 3)).toEqual([]);
});
