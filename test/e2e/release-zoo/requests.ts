/** What clients of the zoo ask, and whether an answer is whole. Pure. */

export interface Digit {
  readonly input: readonly number[];
  readonly label: string;
  readonly segment: string;
}

export type RequestKind =
  /** One picture, and sixteen of them. */
  | "single"
  | "many"
  /** With a datatype that clients of former years send. */
  | "old"
  /** With a pixel too few: no version understands it. */
  | "broken"
  /** In JSON of its own form. */
  | "plain"
  /** A text that is continued, as a stream. */
  | "stream";

/** Shares of the requests, which sum to 1. */
export type Mix = Readonly<Record<RequestKind, number>>;

export const usualMix: Mix = { single: 0.9, many: 0.06, old: 0, broken: 0, plain: 0.02, stream: 0.02 };

export const inferPath = "/v2/models/digits/infer";
export const plainPath = "/predict";
export const chatPath = "/v1/chat/completions";

/** The kind of which a number from 0 to 1 is. */
export function kindAt(mix: Mix, place: number): RequestKind {
  let from = 0;
  for (const [kind, share] of Object.entries(mix) as [RequestKind, number][]) {
    from += share;
    if (place < from) return kind;
  }
  return "single";
}

export function tensorOf(rows: readonly (readonly number[])[], datatype = "FP64"): object {
  return { name: "pixels", shape: [rows.length, 64], datatype, data: rows.flat() };
}

export function chatOf(prompt: string, words: number): object {
  return { model: "words", stream: true, max_tokens: words, messages: [{ role: "user", content: prompt }] };
}

/** Path and body of a request; `digits`: those that it asks, sixteen at least. */
export function requestOf(
  kind: RequestKind,
  digits: readonly Digit[],
): { readonly path: string; readonly body: string } {
  const rows = digits.map(({ input }) => input);
  const row = rows[0] ?? [];
  const infer = (tensor: object) => ({ path: inferPath, body: JSON.stringify({ inputs: [tensor] }) });
  switch (kind) {
    case "single":
      return infer(tensorOf([row]));
    case "many":
      return infer(tensorOf(rows.slice(0, 16)));
    case "old":
      return infer(tensorOf([row], "UINT8"));
    case "broken":
      return infer(tensorOf([row.slice(1)]));
    case "plain":
      return { path: plainPath, body: JSON.stringify({ pixels: row }) };
    case "stream":
      return { path: chatPath, body: JSON.stringify(chatOf("subject to", 6)) };
  }
}

/** What is wrong with an answer; `undefined`: nothing. */
export function wrongWith(kind: RequestKind, status: number, body: string): string | undefined {
  if (kind === "broken") return status === 500 ? undefined : `HTTP ${status} instead of 500`;
  if (status !== 200) return `HTTP ${status}: ${body.slice(0, 120)}`;
  if (kind === "stream") return body.includes("data: [DONE]") ? undefined : "the stream has no end";
  try {
    const answer = JSON.parse(body) as {
      digit?: unknown;
      outputs?: readonly { data?: readonly unknown[] }[];
    };
    const names = kind === "plain" ? [answer.digit] : (answer.outputs?.[0]?.data ?? []);
    const expected = kind === "many" ? 16 : 1;
    const isWhole = names.length === expected && names.every((name) => typeof name === "string");
    return isWhole ? undefined : `no digits: ${body.slice(0, 120)}`;
  } catch {
    return `no JSON: ${body.slice(0, 120)}`;
  }
}
