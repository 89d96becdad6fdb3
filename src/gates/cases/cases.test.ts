import { describe, expect, test } from "vitest";

import { answersDiffer, type Comparison, difference } from "./compare.ts";
import { casesOfCsv } from "./csv.ts";
import { casesOfJsonLines } from "./json-lines.ts";

describe("cases in JSON Lines", () => {
  test("have an input and what is expected", () => {
    const text = '{"id":"a","input":[1,2],"expected":0.5}\n\n{"x":1,"y":"z","label":"fraud"}\r\n';
    expect(casesOfJsonLines(text, "cases.jsonl")).toEqual([
      { id: "a", line: 1, input: [1, 2], expected: 0.5 },
      { id: "line 3", line: 3, input: { x: 1, y: "z" }, expected: "fraud" },
    ]);
  });

  test.each([
    ["{", "cases.jsonl:2: is no JSON"],
    ["[1]", "cases.jsonl:2: is no JSON object"],
    ['{"input":1}', "cases.jsonl:2, expected: is missing"],
    ['{"input":1,"expected":null}', "cases.jsonl:2, expected: is missing"],
    ['{"expected":1}', "cases.jsonl:2, input: is missing"],
    ['{"input":1,"expected":1,"label":2}', "cases.jsonl:2, label: "],
    ['{"input":1,"expected":1,"extra":2}', "cases.jsonl:2, extra: "],
  ])("%s is told with file, line and field", (line, message) => {
    expect(() => casesOfJsonLines(`{"input":1,"expected":1}\n${line}`, "cases.jsonl")).toThrow(message);
  });
});

describe("cases in CSV", () => {
  test("take the other columns together as the input; numbers are numbers, codes stay texts", () => {
    const text = 'amount,code,note,expected\r\n12.5,007,"a ""b"", c",fraud\n3,1e3,"two\nlines",1\n';
    expect(casesOfCsv(text, "cases.csv")).toEqual([
      { id: "line 2", line: 2, input: { amount: 12.5, code: "007", note: 'a "b", c' }, expected: "fraud" },
      { id: "line 3", line: 3, input: { amount: 3, code: 1000, note: "two\nlines" }, expected: 1 },
    ]);
  });

  test("or the column input, in JSON", () => {
    expect(casesOfCsv('id,input,expected\nx,"[1, 2]",3', "c.csv")).toEqual([
      { id: "x", line: 2, input: [1, 2], expected: 3 },
    ]);
  });

  test.each([
    ["a,expected\n1", "c.csv:2: has 1 values, but there are 2 columns"],
    ["a,expected\n1,", "c.csv:2, expected: is missing"],
    ["a,a,expected\n1,2,3", "c.csv:1, a: is the name of two columns"],
    ['a,expected\n"1,2', "c.csv:2: has a quote that does not end"],
    ['a,expected\n"1"2,3', "c.csv:2: has something between a quote that ends and the next comma"],
    ['a,expected\n1"2",3', "c.csv:2: has a quote within a value"],
  ])("%j is told with file and line", (text, message) => {
    expect(() => casesOfCsv(text, "c.csv")).toThrow(message);
  });
});

describe("an answer is right", () => {
  const numbers: Comparison = { kind: "numbers", absolute: 0.01, relative: 0.1 };
  test.each<readonly [Comparison, unknown, unknown, string | undefined]>([
    [{ kind: "exact" }, { a: [1] }, { a: [1] }, undefined],
    [{ kind: "exact" }, 1, 2, "2 instead of 1"],
    [numbers, 1, 1.09, undefined],
    [numbers, 0, 0.009, undefined],
    [numbers, 1, 1.2, "1.2 instead of 1, off by 0.2"],
    [numbers, { a: [1, 2] }, { a: [1, 3] }, "a.1 is 3 instead of 2, off by 1"],
    [numbers, [1, 2], [1], "1 values instead of 2"],
    [numbers, 1, null, "null instead of 1"],
    [numbers, 1, Number.NaN, "NaN in place of a number"],
    [numbers, { a: 1 }, { a: "NaN" }, 'a is "NaN" in place of a number'],
    [{ kind: "structure" }, { a: 1 }, { a: Number.POSITIVE_INFINITY }, "a is Infinity in place of a number"],
    [{ kind: "label" }, "fraud", "fraud", undefined],
    [{ kind: "label" }, 2, [0.1, 0.2, 0.7], undefined],
    [{ kind: "label" }, 1, [0.1, 0.2, 0.7], "2 instead of 1"],
    [{ kind: "label" }, 1, "1", undefined],
    [{ kind: "top-k", k: 2 }, 1, [0.1, 0.2, 0.7], undefined],
    [{ kind: "top-k", k: 2 }, 0, [0.1, 0.2, 0.7], "0 is not among the first 2: [2,1]"],
    [{ kind: "top-k", k: 1 }, "a", ["b", "a"], '"a" is not among the first 1: ["b"]'],
    [{ kind: "top-k", k: 1 }, "a", 3, "3 is no list of scores or labels"],
    [{ kind: "text" }, "to be  or\nnot", " to be or not", undefined],
    [{ kind: "text" }, "yes", "no", '"no" instead of "yes"'],
    [{ kind: "structure" }, { a: [{ b: 1 }] }, { a: [{ b: 2 }, { b: 3 }] }, undefined],
    [{ kind: "structure" }, { a: [{ b: 1 }] }, { a: [{ b: 2 }, { c: 3 }] }, "a.1.b is missing"],
    [{ kind: "structure" }, { a: 1 }, { a: "1" }, "a is a string instead of a number"],
    [{ kind: "structure" }, { a: 1 }, { a: 1, b: 2 }, "b is not expected"],
  ])("by %j: %j, answered %j", (comparison, expected, answer, wrong) => {
    expect(difference(comparison, expected, answer)).toBe(wrong);
  });
});

test("a number that no double holds is told, where it would be sent as null", () => {
  expect(() => casesOfJsonLines('{"input":{"a":[1,1e999]},"expected":1}', "c.jsonl")).toThrow(
    "c.jsonl:1, input.a.1: is a number that is too large for 64 bits",
  );
  expect(() => casesOfCsv("a,expected\n-1e400,1", "c.csv")).toThrow("c.csv:2, input.a: ");
});

test("ids of 64 bits stay what they are, in either form of file", () => {
  const id = 1_357_924_680_135_792_469n;
  expect(casesOfCsv(`user,expected\n${id},1`, "c.csv")[0]?.input).toEqual({ user: id });
  const [one] = casesOfJsonLines(`{"id":${id},"input":{"user":${id}},"expected":${id}}`, "c.jsonl");
  expect(one).toMatchObject({ id: String(id), input: { user: id }, expected: id });
});

test("a label that is declared may be called like a number that is none", () => {
  expect(difference({ kind: "label" }, "Nan", "Nan")).toBeUndefined();
  expect(difference({ kind: "exact" }, "Infinity", "Infinity")).toBeUndefined();
  expect(difference({ kind: "label" }, "fraud", "NaN")).toBe('"NaN" in place of a number');
  expect(difference({ kind: "exact" }, { p: 1 }, { p: "NaN" })).toContain("in place of a number");
});

test("labels of several rows are compared row by row", () => {
  const label: Comparison = { kind: "label" };
  const scores = [
    [0.1, 0.9],
    [0.8, 0.2],
  ];
  expect(difference(label, [1, 0], scores)).toBeUndefined();
  expect(difference(label, [1, 1], scores)).toBe("[1,0] instead of [1,1]");
  expect(answersDiffer(label, scores, [scores[0] ?? [], [0.2, 0.8]])).toBe("[1,1] instead of [1,0]");
  expect(answersDiffer(label, [["a"], ["b"]], [["a"], ["c"]])).toBe('["a","c"] instead of ["a","b"]');
  expect(difference(label, 1, [[0.1, 0.9]])).toBeUndefined();
  const best: Comparison = { kind: "top-k", k: 1 };
  expect(difference(best, [1, 0], scores)).toBeUndefined();
  expect(
    answersDiffer(best, scores, [
      [0.1, 0.9],
      [0.2, 0.8],
    ]),
  ).toMatch(/^row 1: 0 is not among/);
});
