import { parseExact } from "../../core/exact-json.ts";
import { isFields } from "../../core/fields.ts";
import type { Read } from "../protocols/protocol.ts";
import { type CasePlace, caseError, type GoldenCase, requireFinite } from "./case.ts";

/** Whether a line is a request of OpenAI's Batch API: https://platform.openai.com/docs/guides/batch. Pure. */
export function isBatchLine(fields: Readonly<Record<string, unknown>>): boolean {
  return typeof fields.custom_id === "string" && isFields(fields.body) && fields.input === undefined;
}

/**
 * A case of such a line. What is expected is in the file of answers, or beside the request. `url`: that of the first line: a gate asks one path.
 * @throws UserError `cases-invalid`
 */
export function batchCase(
  fields: Readonly<Record<string, unknown>>,
  place: CasePlace,
  url: string | undefined,
): GoldenCase {
  const { custom_id: id, body, method = "POST", url: own, expected, label, ...others } = fields;
  const [other] = Object.keys(others);
  if (other !== undefined) throw caseError({ ...place, field: other }, "is no field of a request of a batch");
  if (method !== "POST") throw caseError({ ...place, field: "method" }, "is not POST");
  if (url !== undefined && own !== url) {
    throw caseError(
      { ...place, field: "url" },
      `is ${JSON.stringify(own)}, but that of the first request is ${JSON.stringify(url)}: a gate asks one path`,
    );
  }
  requireFinite(body, place);
  return { id: String(id), line: place.line, input: body, expected: expected ?? label };
}

/**
 * The same cases, with the answers of a batch as what is expected. `value`: what is compared of an answer.
 * @throws UserError `cases-invalid`
 */
export function withBatchOutput(
  cases: readonly GoldenCase[],
  file: string,
  output: { readonly text: string; readonly file: string },
  value: (answer: unknown) => Read,
): readonly GoldenCase[] {
  const known = new Set(cases.map(({ id }) => id));
  const expected = new Map<string, unknown>();
  for (const [index, content] of output.text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const place = { file: output.file, line: index + 1 };
    const { id, body } = answerOf(content, place);
    if (!known.has(id)) {
      throw caseError({ ...place, field: "custom_id" }, `is "${id}", which no case of ${file} is called`);
    }
    if (expected.has(id)) throw caseError({ ...place, field: "custom_id" }, `"${id}" is answered twice`);
    const read = value(body);
    if (read.kind === "nothing") throw caseError({ ...place, field: "response.body" }, read.why);
    expected.set(id, read.value);
  }
  return cases.map((one) => {
    if (!expected.has(one.id)) {
      const place = { file, line: one.line, field: "custom_id" };
      throw caseError(place, `"${one.id}" has no answer in ${output.file}`);
    }
    return { ...one, expected: expected.get(one.id) };
  });
}

function answerOf(content: string, place: CasePlace): { readonly id: string; readonly body: unknown } {
  let line: unknown;
  try {
    line = parseExact(content);
  } catch (error) {
    throw caseError(place, `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isFields(line) || typeof line.custom_id !== "string") {
    throw caseError({ ...place, field: "custom_id" }, "is missing");
  }
  const { response } = line;
  if (!isFields(response)) throw caseError({ ...place, field: "response" }, "is missing: the batch failed");
  if (response.status_code !== 200) {
    throw caseError(
      { ...place, field: "response.status_code" },
      `is ${JSON.stringify(response.status_code)}: that is nothing to expect`,
    );
  }
  return { id: line.custom_id, body: response.body };
}
