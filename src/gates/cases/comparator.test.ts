import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loaded } from "./comparator.ts";
import { answersDiffer, difference, isEquality } from "./compare.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-comparator-"));
});
afterEach(() => rm(folder, { recursive: true }));

const own = async (text: string) => {
  await writeFile(join(folder, "compare.ts"), text);
  return await loaded(folder, { kind: "module", file: "compare.ts" });
};

test("a module in TypeScript says what the same answer is, and how others differ", async () => {
  const comparison = await own(`
    type Box = { readonly x: number };
    export function compare(expected: Box, answer: Box): boolean | string {
      return Math.abs(expected.x - answer.x) < 5 || \`\${answer.x} is too far from \${expected.x}\`;
    }`);
  expect(difference(comparison, { x: 1 }, { x: 4 })).toBeUndefined();
  expect(answersDiffer(comparison, { x: 1 }, { x: 9 })).toBe("9 is too far from 1");
  expect(isEquality(comparison)).toBe(false);
});

test.each([
  ["export const x = 1;", /exports no function `compare`/],
  ["export const compare = (;", /cannot be loaded/],
])("a module without a comparator is refused: %s", async (text, message) => {
  await expect(own(text)).rejects.toThrow(message);
});

test("one that fails, or says nothing, is no verdict on the model", async () => {
  const failing = await own("export function compare(a) { return a.b.c; }");
  expect(() => difference(failing, {}, {})).toThrow("compare of compare.ts failed");
  const other = await mkdtemp(join(folder, "other-"));
  await writeFile(join(other, "c.mjs"), "export const compare = async () => true;");
  const promising = await loaded(other, { kind: "module", file: "c.mjs" });
  expect(() => difference(promising, 1, 1)).toThrow("neither true, false nor a text");
  await expect(loaded(folder, { kind: "module", file: "none.ts" })).rejects.toMatchObject({
    code: "comparator-unusable",
  });
});
