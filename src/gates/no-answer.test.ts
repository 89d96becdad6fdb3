import { expect, test } from "vitest";
import { noAnswer } from "./no-answer.ts";

const plain = { protocol: "json", answer: undefined } as const;

test.each([
  [{ error: "model not loaded" }],
  [{ error: { code: 3, message: "shape" } }],
  [{ status: 500, error: "Internal Server Error", path: "/predict", timestamp: "now" }],
  [{ errors: ["no such column"], success: false }],
])("%o says nothing of the model", (value) => {
  expect(noAnswer(plain, value)).toContain("the answer is an error: ");
});

test.each([
  [{ label: "cat" }],
  // The error of a regression, say.
  [{ error: 0.125 }],
  [{ error: null, status: "ok" }],
  [{ errors: [], message: "hello" }],
  [{ error: "low light", label: "cat" }],
  [{ message: "hello" }],
  ["error"],
  [[{ error: "one of many" }]],
  [null],
])("%o is an answer", (value) => {
  expect(noAnswer(plain, value)).toBeUndefined();
});

test("what is looked for and is not there is no answer; what is said there is one", () => {
  const at = { protocol: "json", answer: "result.label" } as const;
  expect(noAnswer(at, undefined)).toBe("the answer has nothing at result.label");
  expect(noAnswer(at, { error: "a label of its own" })).toBeUndefined();
});
