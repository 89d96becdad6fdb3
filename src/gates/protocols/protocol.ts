import { parseExact } from "../../core/exact-json.ts";

/** How inputs and answers of models look. One file each. */
export interface Protocol {
  /** The body of a request for an input, as JSON. Throws UserError where the input cannot be one. `path`: as clients ask. */
  readonly body: (input: unknown, path: string) => unknown;
  /** The part of an answer that is compared. */
  readonly value: (answer: unknown) => Read;
  /** Reads answers that come in events. @default there are none */
  readonly stream?: (events: readonly StreamEvent[]) => Read;
  /** It is spoken over gRPC: the method, and how messages are written and read. @default over HTTP */
  readonly grpc?: GrpcForm;
}

export interface GrpcForm {
  readonly method: string;
  /** Of what `body` made. */
  readonly write: (body: unknown, path: string) => Uint8Array;
  /** The same as the JSON of an answer over HTTP. Throws where the bytes are no such message. */
  readonly read: (message: Uint8Array) => unknown;
}

/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly data: string;
  /** Milliseconds from the request until it was there, where somebody looked. */
  readonly atMs: number | undefined;
}

/** What a stream, or an answer of a language model, tells beside its text. */
export interface Facts {
  /** Why it ended: `stop`, `length`, `tool_calls`, … */
  readonly finish?: string;
  readonly firstTokenMs?: number;
  readonly tokensPerSecond?: number;
}

/** What is compared, or why there is nothing. */
export type Read =
  | {
      readonly kind: "value";
      readonly value: unknown;
      readonly facts?: Facts;
      /** The same by rows, where several inputs were asked at once. @default one was */
      readonly rows?: readonly unknown[];
    }
  | { readonly kind: "nothing"; readonly why: string };

/** An answer in JSON. Infinities and NaN, which some servers write though JSON has none, are told as what they are. Pure. */
export function readJson(body: string): Read {
  try {
    return { kind: "value", value: parseExact(body) };
  } catch {
    const outside = body.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    const found = /-?\b(?:NaN|Infinity|inf|nan)\b/.exec(outside);
    if (found !== null) return { kind: "nothing", why: `the answer has ${found[0]} in place of a number` };
    return { kind: "nothing", why: "the answer is no JSON" };
  }
}
