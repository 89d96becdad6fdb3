import { expect, test } from "vitest";
import { openai } from "../protocols/openai.ts";
import { withBatchOutput } from "./batch.ts";
import { casesOfJsonLines } from "./json-lines.ts";

const request = (id: string, url = "/v1/chat/completions") =>
  JSON.stringify({ custom_id: id, method: "POST", url, body: { model: "m", messages: [] } });
const output = (id: string, content: unknown, status = 200) =>
  JSON.stringify({
    id: "batch_req_1",
    custom_id: id,
    response: { status_code: status, body: { choices: [{ message: { content }, finish_reason: "stop" }] } },
    error: null,
  });
const cases = (text: string) => casesOfJsonLines(text, "batch.jsonl", "input");
const withOutput = (requests: string, answers: string) =>
  withBatchOutput(cases(requests), "batch.jsonl", { text: answers, file: "output.jsonl" }, openai.value);

test("requests of a batch are cases, their answers by name what is expected, in whatever order", () => {
  const found = withOutput(
    `${request("a")}\n${request("b")}\n`,
    `${output("b", "2")}\n${output("a", "1")}\n`,
  );
  expect(found).toEqual([
    { id: "a", line: 1, input: { model: "m", messages: [] }, expected: "1" },
    { id: "b", line: 2, input: { model: "m", messages: [] }, expected: "2" },
  ]);
});

test.each([
  [request("a"), "", 'batch.jsonl:1, custom_id: "a" has no answer in output.jsonl'],
  [request("a"), output("c", "1"), 'output.jsonl:1, custom_id: is "c", which no case of batch.jsonl'],
  [request("a"), output("a", "1", 500), "output.jsonl:1, response.status_code: is 500"],
  [request("a"), '{"custom_id":"a","response":null}', "output.jsonl:1, response: is missing"],
  [request("a"), output("a", null), "output.jsonl:1, response.body: choice 0 of the answer has no text"],
  [
    request("a"),
    `${output("a", "1")}\n${output("a", "2")}`,
    'output.jsonl:2, custom_id: "a" is answered twice',
  ],
  [`${request("a")}\n${request("b", "/v1/embeddings")}`, "", "batch.jsonl:2, url: is"],
])("%# is told with file, line and field", (requests, answers, message) => {
  expect(() => withOutput(requests, answers)).toThrow(message);
});

test("without answers nothing is expected", () => {
  expect(() => casesOfJsonLines(request("a"), "batch.jsonl")).toThrow(
    "batch.jsonl:1, expected: is missing: name the file",
  );
});
