import { expect, test } from "vitest";
import { excerpt, leadsIn, maskOf, withAnswerMask, withMask } from "./mask.ts";

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

test("whether a path leads to anything is known: with a slip of the pen it would hide nothing", () => {
  expect(leadsIn({ a: [{ b: 1 }] }, "a.*.b")).toBe(true);
  expect(leadsIn({ a: [{ c: 1 }] }, "a.*.b")).toBe(false);
  expect(leadsIn("text", "")).toBe(true);
  expect(leadsIn("text", "a")).toBe(false);
});

test("of an answer that has another form than was thought nothing is shown", () => {
  expect(withAnswerMask({ name: "Ada", score: 1 }, ["name"])).toEqual({ name: "[masked]", score: 1 });
  expect(withAnswerMask("no customer Ada", ["name"])).toBe("[masked]");
  expect(withAnswerMask({ names: ["Ada"], score: 1 }, ["name"])).toBe("[masked]");
  expect(withAnswerMask({ score: 1 }, [])).toEqual({ score: 1 });
});

test("paths say whether they are of inputs or of answers", () => {
  expect(maskOf(["input.a.*", "answer", "answer.0"])).toEqual({ input: ["a.*"], answer: ["", "0"] });
});

test("an excerpt is cut after it was masked", () => {
  const hidden = withMask({ secret: "x".repeat(100), a: 1 }, ["secret"]);
  expect(excerpt(hidden, 30)).toBe('{"secret":"[masked]","a":1}');
  expect(excerpt("x".repeat(100), 10)).toBe(`"${"x".repeat(9)}…`);
});
