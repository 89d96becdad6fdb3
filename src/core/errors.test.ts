import { expect, test } from "vitest";
import { exitCodes, interrupted, UserError } from "./errors.ts";

test("an error fails with exit code 1 unless it says otherwise", () => {
  expect(new UserError({ code: "x", message: "It broke." }).exitCode).toBe(exitCodes.failed);
  expect(new UserError({ code: "x", message: "m", exitCode: exitCodes.locked }).exitCode).toBe(4);
});

test("an error keeps its hint, details and cause", () => {
  const cause = new Error("socket hang up");
  const error = new UserError({ code: "x", message: "m", hint: "Try again.", details: { port: 80 }, cause });
  expect(error).toMatchObject({ code: "x", message: "m", hint: "Try again.", details: { port: 80 }, cause });
});

test("an error without a cause has none, so that renderers don't print `undefined`", () => {
  expect("cause" in new UserError({ code: "x", message: "m" })).toBe(false);
});

test("an interruption has the exit code of a signal", () => {
  expect(interrupted("The switch", "Run it again.")).toMatchObject({
    code: "interrupted",
    exitCode: 130,
    message: "The switch was interrupted.",
    hint: "Run it again.",
  });
});

test("an error of another copy of the package is one, and what only looks like it is not", async () => {
  const copy = `${new URL("./errors.ts", import.meta.url).href}?copy`;
  const other = (await import(/* @vite-ignore */ copy)) as typeof import("./errors.ts");
  expect(other.UserError).not.toBe(UserError);
  expect(new other.UserError({ code: "x", message: "m" })).toBeInstanceOf(UserError);
  expect(new Error("m")).not.toBeInstanceOf(UserError);
  expect(undefined).not.toBeInstanceOf(UserError);
});
