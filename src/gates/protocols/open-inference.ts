import { exitCodes, UserError } from "../../core/errors.ts";
import { writeExact } from "../../core/exact-json.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import type { Protocol, Read } from "./protocol.ts";

/** A tensor of a request. */
interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: "FP64" | "INT64" | "BYTES" | "BOOL";
  readonly data: readonly unknown[];
}

function tensor(name: string, values: readonly unknown[], shape: readonly number[]): Tensor {
  const kinds = new Set(values.map((value) => typeof value));
  const [kind] = kinds;
  if (kinds.size === 1 && kind === "number") return { name, shape, datatype: "FP64", data: values };
  if (kinds.size === 1 && kind === "string") return { name, shape, datatype: "BYTES", data: values };
  if (kinds.size === 1 && kind === "boolean") return { name, shape, datatype: "BOOL", data: values };
  // Ids that no double holds come beside others that one does.
  if (values.every((value) => typeof value === "bigint" || Number.isInteger(value)) && kinds.has("bigint"))
    return { name, shape, datatype: "INT64", data: values };
  throw new UserError({
    code: "cases-invalid",
    message: `The input ${writeExact(values).slice(0, 80)} of "${name}" is neither numbers, nor texts, nor truth values.`,
    hint: "Write the request itself as the input, with its tensors in `inputs`.",
    exitCode: exitCodes.usage,
  });
}

/**
 * Open Inference Protocol v2 over REST. An input that has `inputs` is the request itself; a list is one row of a tensor `input-0`; other fields are a
 * tensor each. Answers: the data of the first output, one value by itself; with several outputs their data by name.
 */
export const openInference: Protocol = {
  body: (input) => {
    if (isFields(input) && Array.isArray(input.inputs)) return input;
    if (Array.isArray(input)) return { inputs: [tensor("input-0", input, [1, input.length])] };
    if (isFields(input)) {
      const inputs = Object.entries(input).map(([name, value]) =>
        Array.isArray(value) ? tensor(name, value, [1, value.length]) : tensor(name, [value], [1, 1]),
      );
      return { inputs };
    }
    return { inputs: [tensor("input-0", [input], [1, 1])] };
  },
  value: (answer): Read => {
    const outputs = isFields(answer) ? answer.outputs : undefined;
    if (!Array.isArray(outputs) || outputs.length === 0) {
      return { kind: "nothing", why: "the answer has no outputs" };
    }
    const values: Record<string, unknown> = {};
    for (const [index, output] of outputs.entries()) {
      if (!isFields(output) || !Array.isArray(output.data)) {
        return { kind: "nothing", why: `output ${index} of the answer has no data` };
      }
      const name = typeof output.name === "string" ? output.name : String(index);
      values[name] = output.data.length === 1 ? output.data[0] : output.data;
    }
    const [only, ...more] = Object.values(values);
    if (more.length > 0) return { kind: "value", value: values };
    const rows = rowsOf(outputs[0] as Fields);
    return { kind: "value", value: only, ...(rows === undefined ? {} : { rows }) };
  },
};

/** Data by its first dimension, where that is of several inputs: each has scores or a label of its own. `undefined`: it is of one. */
function rowsOf({ shape, data, datatype }: Fields): readonly unknown[] | undefined {
  if (!Array.isArray(shape) || !Array.isArray(data)) return undefined;
  const [rows, ...others] = shape.map(Number);
  if (rows === undefined || !(rows > 1) || data.length % rows !== 0) return undefined;
  // One dimension alone may be the scores of one input; whole numbers are labels.
  if (others.length === 0 && datatype !== "INT64" && datatype !== "INT32") return undefined;
  const size = data.length / rows;
  return Array.from({ length: rows }, (_, row) => data.slice(row * size, (row + 1) * size));
}
