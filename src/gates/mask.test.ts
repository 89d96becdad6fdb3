import { expect, test } from "vitest";
import { excerpt, isMasked, maskOf, withMask } from "./mask.ts";

test("paths hide what they lead to, wherever lists are, and nothing else", () => {
  const value = { messages: [{ role: "user", content: "Ada" }, { role: "x" }], user: { id: 7 } };
  expect(withMask(value, ["messages.*.content", "user", "none.of.these"])).toEqual({
    messages: [{ role: "user", content: "[masked]" }, { role: "x" }],
    user: "[masked]",
  });
  expect(withMask([1, [2, 3]], ["1.0"])).toEqual([1, ["[masked]", 3]]);
  expect(withMask("all of it", [""])).toBe("[masked]");
  expect(value.user.id).toBe(7);
});

test("whether something was hidden is known, so that words about it quote nothing", () => {
  expect(isMasked({ a: [{ b: 1 }] }, ["a.*.b"])).toBe(true);
  expect(isMasked({ a: [{ c: 1 }] }, ["a.*.b"])).toBe(false);
  expect(isMasked("text", [""])).toBe(true);
  expect(isMasked("text", [])).toBe(false);
});

test("paths say whether they are of inputs or of answers", () => {
  expect(maskOf(["input.a.*", "answer", "answer.0"])).toEqual({ input: ["a.*"], answer: ["", "0"] });
});

test("an excerpt is cut after it was masked", () => {
  expect(excerpt({ secret: "x".repeat(100), a: 1 }, ["secret"], 30)).toBe('{"secret":"[masked]","a":1}');
  expect(excerpt("x".repeat(100), [], 10)).toBe(`"${"x".repeat(9)}…`);
});
