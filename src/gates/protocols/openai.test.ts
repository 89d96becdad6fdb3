import { describe, expect, test } from "vitest";
import { eventsOf, isEventStream } from "./event-stream.ts";
import { openai } from "./openai.ts";

const chat = "/v1/chat/completions";
const chunk = (choice: object, more: object = {}) =>
  `data: ${JSON.stringify({ choices: [choice], ...more })}\n\n`;
const stream = (body: string, arrivals: { bytes: number; atMs: number }[] = []) =>
  openai.stream?.(eventsOf(body, arrivals));

describe("requests", () => {
  test("a text, messages, or the request itself", () => {
    expect(openai.body("Hi", chat)).toEqual({ messages: [{ role: "user", content: "Hi" }] });
    expect(openai.body([{ role: "user", content: "Hi" }], chat)).toEqual({
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(openai.body("Hi", "/v1/completions")).toEqual({ prompt: "Hi" });
    expect(openai.body("Hi", "/v1/embeddings")).toEqual({ input: "Hi" });
    const request = { model: "m", messages: [] };
    expect(openai.body(request, chat)).toBe(request);
    expect(() => openai.body([1, 2], chat)).toThrow("neither a request nor a text");
  });
});

describe("answers", () => {
  test("are the text, with why it ended", () => {
    const choices = [{ message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }];
    expect(openai.value({ choices })).toEqual({ kind: "value", value: "Yes.", facts: { finish: "stop" } });
    expect(openai.value({ choices: [{ text: "a" }, { text: "b" }] })).toMatchObject({ value: ["a", "b"] });
  });

  test("calls of tools are compared by what they are called with, not by how that is spelled", () => {
    const call = (given: string) => ({
      choices: [
        { message: { content: null, tool_calls: [{ id: "x", function: { name: "f", arguments: given } }] } },
      ],
    });
    expect(openai.value(call('{"a": 1}'))).toMatchObject({
      value: { content: null, calls: [{ name: "f", arguments: { a: 1 } }] },
    });
    expect(openai.value(call('{"a":'))).toMatchObject({ value: { calls: [{ arguments: '{"a":' }] } });
  });

  test("embeddings are numbers, also in base64", () => {
    const bytes = Buffer.alloc(8);
    bytes.writeFloatLE(0.5, 0);
    bytes.writeFloatLE(-2, 4);
    expect(openai.value({ data: [{ embedding: [0.5, -2] }] })).toMatchObject({ value: [0.5, -2] });
    expect(openai.value({ data: [{ embedding: bytes.toString("base64") }] })).toMatchObject({
      value: [0.5, -2],
    });
    expect(openai.value({ data: [{}] })).toMatchObject({ kind: "nothing" });
  });

  test.each([
    [{ error: { message: "overloaded" } }],
    [{ choices: [] }],
    [{ choices: [{ message: {} }] }],
    [7],
  ])("%j is none", (answer) => expect(openai.value(answer).kind).toBe("nothing"));
});

describe("streams", () => {
  const whole = [
    chunk({ index: 0, delta: { role: "assistant" } }),
    chunk({ index: 0, delta: { content: "Hello " } }),
    ": keep-alive\r\n\r\n",
    chunk({ index: 0, delta: { content: "you" } }),
    chunk({ index: 0, delta: {}, finish_reason: "stop" }, { usage: { completion_tokens: 3 } }),
  ].join("");

  test("are known as such, also where they begin with a comment", () => {
    expect(isEventStream(whole)).toBe(true);
    expect(isEventStream(": hello\n\ndata: {}")).toBe(true);
    expect(isEventStream('{"choices":[]}')).toBe(false);
  });

  test("are their text, why it ended, and how fast it came", () => {
    const first = chunk({ index: 0, delta: { role: "assistant" } }).length;
    const second = first + chunk({ index: 0, delta: { content: "Hello " } }).length;
    const arrivals = [
      { bytes: first, atMs: 10 },
      { bytes: second, atMs: 100 },
      { bytes: whole.length, atMs: 1100 },
    ];
    expect(stream(`${whole}data: [DONE]\n\n`, arrivals)).toEqual({
      kind: "value",
      value: "Hello you",
      facts: { finish: "stop", firstTokenMs: 100, tokensPerSecond: 2 },
    });
    expect(stream(whole.replaceAll("\n", "\r\n"))).toMatchObject({
      value: "Hello you",
      facts: { finish: "stop" },
    });
  });

  test.each([
    [whole.slice(0, whole.indexOf('"finish_reason"')), "the stream was cut short"],
    [chunk({ index: 0, delta: { content: "Hel" } }), "cut short after 1 pieces"],
    [
      `${chunk({ index: 0, delta: { content: "Hel" } })}data: {"error":{"message":"x"}}\n\n`,
      "ends with an error",
    ],
    ["data: [DONE]\n\n", "no choice"],
  ])("that are cut are no answers: %#", (body, why) => {
    expect(stream(body)).toEqual({ kind: "nothing", why: expect.stringContaining(why) });
  });

  test("put calls of tools together", () => {
    const call = (of: object) => chunk({ index: 0, delta: { tool_calls: [{ index: 0, function: of }] } });
    const body = [
      call({ name: "f", arguments: "" }),
      call({ arguments: '{"a":' }),
      call({ arguments: "1}" }),
      chunk({ index: 0, delta: {}, finish_reason: "tool_calls" }),
    ].join("");
    expect(stream(body)).toMatchObject({
      value: { content: null, calls: [{ name: "f", arguments: { a: 1 } }] },
      facts: { finish: "tool_calls" },
    });
  });
});

test("a line separator within a text ends no line of a stream", () => {
  const chunk = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
  const body = `${chunk("one\u2028two")}${chunk("\u2029three", "stop")}data: [DONE]\n\n`;
  const events = eventsOf(body, []);
  expect(events).toHaveLength(3);
  expect(openai.stream?.(events)).toMatchObject({ kind: "value", value: "one\u2028two\u2029three" });
});
