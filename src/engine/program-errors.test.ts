import { expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import { placeInProgram, programFailed } from "./program-errors.ts";

test.each([
  ["at make (/p/lib/a.ts:3:7)", "/p/lib/a.ts:3:7"],
  ["at /p/my models/index.ts:12:31", "/p/my models/index.ts:12:31"],
  ["at async file:///p/index.js?evaluation=2:4:1", "/p/index.js:4:1"],
  ["at new Thing (file:///p/a%20b/index.mjs:4:1)", "/p/a b/index.mjs:4:1"],
  ["at node:internal/modules/customization_hooks:94:20", undefined],
  ["at process.processTicksAndRejections (node:internal/process/task_queues:104:5)", undefined],
  ["at Output.apply (/p/node_modules/@pulumi/pulumi/output.js:1:2)", undefined],
])("the place of %s", (line, place) => {
  expect(placeInProgram(`Error: x\n    ${line}`)).toBe(place);
});

test("the first frame of the program counts, not those of libraries above it", () => {
  const stack = "Error: x\n    at f (/p/node_modules/y/z.js:1:2)\n    at /p/a.ts:5:6\n    at /p/b.ts:7:8";
  expect(placeInProgram(stack)).toBe("/p/a.ts:5:6");
});

test("errors for the user stay what they are; others get a place", () => {
  const refusal = new UserError({ code: "slot-not-ready", message: "green is not ready" });
  expect(programFailed(refusal)).toBe(refusal);
  expect(programFailed("just text")).toMatchObject({
    code: "program-failed",
    message: "The Pulumi program failed: just text",
  });
});
