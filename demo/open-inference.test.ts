import { expect, test } from "vitest";
import { checkAnswer } from "./open-inference.ts";

const good = {
  model_name: "fraud",
  model_version: "v1",
  id: "1",
  outputs: [{ name: "predict", shape: [2, 2], datatype: "FP64", data: [1, 2, 3, 4] }],
};

const check = (answer: unknown, header?: string, known?: string[]) =>
  checkAnswer(JSON.stringify(answer), header, known);

test("accepts complete answers, with flat and nested data", () => {
  expect(check(good)).toEqual({ verdict: "valid", version: "v1" });
  const nested = {
    ...good,
    outputs: [
      {
        ...good.outputs[0],
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
  };
  expect(check(nested, undefined, ["v1", "v2"])).toEqual({ verdict: "valid", version: "v1" });
  expect(check({ ...good, model_version: undefined }, "v2")).toEqual({ verdict: "valid", version: "v2" });
});

test.each([
  ["an unknown version", { ...good, model_version: "v3" }],
  ["no version", { ...good, model_version: undefined }],
  ["no outputs", { ...good, outputs: [] }],
  ["data that does not fill the shape", { ...good, outputs: [{ ...good.outputs[0], data: [1] }] }],
  ["an output without data", { ...good, outputs: [{ ...good.outputs[0], data: undefined }] }],
  ["an error", { error: "Model fraud not found" }],
  ["a list", [good]],
  ["null", null],
])("refuses %s", (_name, answer) => {
  expect(check(answer, undefined, ["v1", "v2"]).verdict).toBe("invalid");
});

test("refuses what is not JSON, and quotes its beginning", () => {
  expect(checkAnswer("<html>", undefined, undefined)).toEqual({
    verdict: "invalid",
    reason: "not JSON: <html>",
  });
});
