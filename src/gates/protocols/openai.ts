import { exitCodes, UserError } from "../../core/errors.ts";
import { writeExact } from "../../core/exact-json.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import { type Facts, type Protocol, type Read, readJson, type StreamEvent } from "./protocol.ts";

/**
 * The API of OpenAI as vLLM, SGLang, TGI and others serve it: chat, completions and embeddings, also streamed. An input that is an object is the
 * request itself; a text is asked by itself, a list of messages is a chat. Answers: the text, with tools the calls with their arguments, of an
 * embedding its numbers; of several choices or inputs a list.
 */
export const openai: Protocol = {
  body: (input, path) => {
    if (isFields(input)) return input;
    const isChat = /\/chat\/completions\b/.test(path);
    if (typeof input === "string") {
      if (isChat) return { messages: [{ role: "user", content: input }] };
      return /\/embeddings\b/.test(path) ? { input } : { prompt: input };
    }
    if (isChat && Array.isArray(input) && input.length > 0 && input.every(isFields))
      return { messages: input };
    throw new UserError({
      code: "cases-invalid",
      message: `The input ${String(writeExact(input)).slice(0, 80)} is neither a request nor a text.`,
      hint: 'Write the request itself as the input, for example {"model": "m", "messages": [{"role": "user", "content": "…"}]}.',
      exitCode: exitCodes.usage,
    });
  },
  value: (answer) => {
    if (!isFields(answer)) return { kind: "nothing", why: "the answer is no object" };
    if (isFields(answer.error)) return { kind: "nothing", why: "the answer is an error" };
    if (Array.isArray(answer.data)) return embeddings(answer.data);
    return Array.isArray(answer.choices)
      ? choices(answer.choices.filter(isFields))
      : { kind: "nothing", why: "the answer has neither choices nor data" };
  },
  stream: streamed,
};

function choices(found: readonly Fields[]): Read {
  const texts: unknown[] = [];
  for (const [index, { message, text, finish_reason: finish }] of found.entries()) {
    const said = isFields(message) ? saidIn(message) : text;
    if (said === undefined || said === null)
      return { kind: "nothing", why: `choice ${index} of the answer has no text` };
    if (finish === "error")
      return { kind: "nothing", why: `choice ${index} of the answer ended by an error` };
    texts.push(said);
  }
  const [first] = found;
  if (first === undefined) return { kind: "nothing", why: "the answer has no choice" };
  const facts = typeof first.finish_reason === "string" ? { finish: first.finish_reason } : {};
  return { kind: "value", value: texts.length === 1 ? texts[0] : texts, facts };
}

/** The text of a message, or the calls of tools in it. */
function saidIn({ content, tool_calls: calls, refusal }: Fields): unknown {
  if (Array.isArray(calls) && calls.length > 0) {
    const called = calls.filter(isFields).map(({ function: of }) => {
      const { name, arguments: given } = isFields(of) ? of : { name: undefined, arguments: undefined };
      const read = typeof given === "string" ? readJson(given) : undefined;
      return { name, arguments: read?.kind === "value" ? read.value : given };
    });
    return { content: content ?? null, calls: called };
  }
  return content ?? refusal;
}

function embeddings(data: readonly unknown[]): Read {
  const vectors = data.map((one) => (isFields(one) ? vectorOf(one.embedding) : undefined));
  const missing = vectors.indexOf(undefined);
  if (vectors.length === 0 || missing >= 0) {
    return { kind: "nothing", why: `embedding ${Math.max(0, missing)} of the answer has no numbers` };
  }
  return { kind: "value", value: vectors.length === 1 ? vectors[0] : vectors };
}

/** Numbers, or 32-bit floats in base64, little-endian. */
function vectorOf(embedding: unknown): readonly number[] | undefined {
  if (Array.isArray(embedding)) return embedding as number[];
  if (typeof embedding !== "string") return undefined;
  const bytes = Buffer.from(embedding, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}

/** A stream is whole once each of its choices has said why it ends. */
function streamed(events: readonly StreamEvent[]): Read {
  const texts = new Map<number, string>();
  const calls = new Map<string, { name: string; arguments: string }>();
  const finished = new Map<number, string>();
  const times: number[] = [];
  let counted: number | undefined;
  let pieces = 0;
  for (const { data, atMs } of events) {
    if (data === "[DONE]") break;
    const read = readJson(data);
    if (read.kind === "nothing") return { kind: "nothing", why: `the stream was cut short: ${read.why}` };
    const chunk = read.value;
    if (!isFields(chunk)) continue;
    if (isFields(chunk.error)) return { kind: "nothing", why: "the stream ends with an error" };
    if (isFields(chunk.usage) && typeof chunk.usage.completion_tokens === "number") {
      counted = chunk.usage.completion_tokens;
    }
    for (const choice of Array.isArray(chunk.choices) ? chunk.choices.filter(isFields) : []) {
      const index = Number(choice.index ?? 0);
      const delta = isFields(choice.delta) ? choice.delta : { content: choice.text };
      const piece = typeof delta.content === "string" ? delta.content : "";
      texts.set(index, `${texts.get(index) ?? ""}${piece}`);
      const more = Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isFields) : [];
      for (const call of more) {
        const key = `${index} ${String(call.index ?? 0)}`;
        const known = calls.get(key) ?? { name: "", arguments: "" };
        const of = isFields(call.function) ? call.function : {};
        calls.set(key, {
          name: known.name + String(of.name ?? ""),
          arguments: known.arguments + String(of.arguments ?? ""),
        });
      }
      if (piece !== "" || more.length > 0) {
        pieces += 1;
        if (atMs !== undefined) times.push(atMs);
      }
      if (typeof choice.finish_reason === "string") finished.set(index, choice.finish_reason);
    }
  }
  if (texts.size === 0) return { kind: "nothing", why: "the stream has no choice" };
  const open = [...texts.keys()].filter((index) => !finished.has(index));
  if (open.length > 0)
    return {
      kind: "nothing",
      why: `the stream was cut short after ${pieces} pieces: no reason to end was given`,
    };
  const said = [...texts]
    .toSorted(([a], [b]) => a - b)
    .map(([index, content]) => {
      const own = [...calls].filter(([key]) => key.startsWith(`${index} `)).map(([, call]) => call);
      return own.length === 0
        ? content
        : saidIn({
            content: content === "" ? null : content,
            tool_calls: own.map((of) => ({ function: of })),
          });
    });
  return {
    kind: "value",
    value: said.length === 1 ? said[0] : said,
    facts: factsOf(finished.get(0), times, counted ?? pieces),
  };
}

function factsOf(finish: string | undefined, times: readonly number[], tokens: number): Facts {
  const [first, last] = [times[0], times.at(-1)];
  const seconds = first === undefined || last === undefined ? 0 : (last - first) / 1000;
  return {
    ...(finish === undefined ? {} : { finish }),
    ...(first === undefined ? {} : { firstTokenMs: first }),
    ...(seconds > 0 && tokens > 1 ? { tokensPerSecond: (tokens - 1) / seconds } : {}),
  };
}
