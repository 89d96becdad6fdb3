import { isFields } from "../src/core/fields.ts";

/** What an answer to an inference request turned out to be. */
export type AnswerCheck =
  | { readonly verdict: "valid"; readonly version: string }
  | { readonly verdict: "invalid"; readonly reason: string };

function flatLength(value: unknown): number {
  if (!Array.isArray(value)) return 1;
  let sum = 0;
  for (const item of value) sum += flatLength(item);
  return sum;
}

/**
 * Whether a body is a complete answer of the Open Inference protocol, and of which version. A 200 with anything
 * else in it is a failed request for whoever waits for a prediction.
 */
export function checkAnswer(
  body: string,
  versionHeader: string | undefined,
  knownVersions: readonly string[] | undefined,
): AnswerCheck {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return { verdict: "invalid", reason: `not JSON: ${body.slice(0, 120)}` };
  }
  if (!isFields(answer)) return { verdict: "invalid", reason: "the answer is no JSON object" };
  if (typeof answer.model_name !== "string") return { verdict: "invalid", reason: "model_name is missing" };
  if (!Array.isArray(answer.outputs) || answer.outputs.length === 0) {
    return { verdict: "invalid", reason: "outputs are missing" };
  }
  for (const output of answer.outputs) {
    const problem = problemOfOutput(output);
    if (problem !== undefined) return { verdict: "invalid", reason: problem };
  }
  const version = typeof answer.model_version === "string" ? answer.model_version : versionHeader;
  if (version === undefined || version === "") {
    return { verdict: "invalid", reason: "the answer names no model version" };
  }
  if (knownVersions !== undefined && !knownVersions.includes(version)) {
    return {
      verdict: "invalid",
      reason: `version "${version}" answered, expected ${knownVersions.join(" or ")}`,
    };
  }
  return { verdict: "valid", version };
}

function problemOfOutput(output: unknown): string | undefined {
  if (!isFields(output) || typeof output.name !== "string") return "an output has no name";
  if (typeof output.datatype !== "string") return `output "${output.name}" has no datatype`;
  if (!Array.isArray(output.shape) || !output.shape.every((length) => Number.isInteger(length))) {
    return `output "${output.name}" has no shape`;
  }
  const expected = output.shape.reduce((product: number, length: number) => product * length, 1);
  const length = Array.isArray(output.data) ? flatLength(output.data) : 0;
  if (length !== expected) {
    return `output "${output.name}" has ${length} values for the shape [${output.shape.join(", ")}]`;
  }
  return undefined;
}
