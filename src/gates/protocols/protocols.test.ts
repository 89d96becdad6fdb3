import { describe, expect, test } from "vitest";
import { openInference } from "./open-inference.ts";
import { plainJson } from "./plain-json.ts";
import { readJson } from "./protocol.ts";

describe("Open Inference v2", () => {
  test("a list is a row, fields are tensors, a request is itself", () => {
    expect(openInference.body([0.1, 0.7], "/v2/models/m/infer")).toEqual({
      inputs: [{ name: "input-0", shape: [1, 2], datatype: "FP64", data: [0.1, 0.7] }],
    });
    expect(openInference.body({ amount: 3, country: "DE", ok: true }, "/v2/models/m/infer")).toEqual({
      inputs: [
        { name: "amount", shape: [1, 1], datatype: "FP64", data: [3] },
        { name: "country", shape: [1, 1], datatype: "BYTES", data: ["DE"] },
        { name: "ok", shape: [1, 1], datatype: "BOOL", data: [true] },
      ],
    });
    expect(openInference.body("text", "/v2/models/m/infer")).toMatchObject({
      inputs: [{ datatype: "BYTES", data: ["text"] }],
    });
    const request = { inputs: [{ name: "x", shape: [1], datatype: "INT64", data: [1] }] };
    expect(openInference.body(request, "/v2/models/m/infer")).toBe(request);
    expect(() => openInference.body([1, "a"], "/v2/models/m/infer")).toThrow("neither numbers, nor texts");
  });

  test("answers are the data of the first output, or of all by name", () => {
    const output = (name: string, data: unknown) => ({ name, shape: [1], datatype: "FP64", data });
    expect(openInference.value({ outputs: [output("p", [0.5])] })).toEqual({ kind: "value", value: 0.5 });
    expect(openInference.value({ outputs: [output("p", [1, 2])] })).toEqual({ kind: "value", value: [1, 2] });
    expect(openInference.value({ outputs: [output("a", [1]), output("b", ["x"])] })).toEqual({
      kind: "value",
      value: { a: 1, b: "x" },
    });
    expect(openInference.value({ error: "no" })).toEqual({
      kind: "nothing",
      why: "the answer has no outputs",
    });
    expect(openInference.value({ outputs: [{}] })).toMatchObject({ kind: "nothing" });
  });
});

test("plain JSON is what it is", () => {
  expect(plainJson.body({ a: 1 }, "/v2/models/m/infer")).toEqual({ a: 1 });
  expect(plainJson.value([1])).toEqual({ kind: "value", value: [1] });
});

test("what is no JSON is told, numbers that are none by name", () => {
  expect(readJson('{"a": 1}')).toEqual({ kind: "value", value: { a: 1 } });
  expect(readJson('{"a": [1, NaN]}')).toEqual({
    kind: "nothing",
    why: "the answer has NaN in place of a number",
  });
  expect(readJson('{"a": -Infinity}')).toMatchObject({
    why: "the answer has -Infinity in place of a number",
  });
  expect(readJson('{"a": "NaN"')).toEqual({ kind: "nothing", why: "the answer is no JSON" });
});

test("an answer to several inputs has a row for each", () => {
  const rows = (shape: number[], datatype: string, data: unknown[]) => {
    const read = openInference.value({ outputs: [{ name: "p", shape, datatype, data }] });
    return read.kind === "value" ? read.rows : read;
  };
  expect(rows([2, 2], "FP32", [0.1, 0.9, 0.8, 0.2])).toEqual([
    [0.1, 0.9],
    [0.8, 0.2],
  ]);
  expect(rows([3, 1], "BYTES", ["a", "b", "c"])).toEqual([["a"], ["b"], ["c"]]);
  expect(rows([3], "INT64", [0, 2, 1])).toEqual([[0], [2], [1]]);
  expect(rows([3], "FP32", [0.1, 0.2, 0.7])).toBeUndefined();
  expect(rows([1, 3], "FP32", [0.1, 0.2, 0.7])).toBeUndefined();
});
