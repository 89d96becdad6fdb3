import { writeExact } from "../core/exact-json.ts";
import { jsonAt } from "../core/json-path.ts";
import type { Asking } from "./asking.ts";
import { isOfLabels, labelled } from "./cases/compare.ts";
import type { IngressAnswer, IngressOutcome, IngressRequest } from "./io.ts";
import { cameTo } from "./outcome.ts";
import { eventsOf, isEventStream } from "./protocols/event-stream.ts";
import { type Facts, type Protocol, type Read, readJson } from "./protocols/protocol.ts";
import { protocols } from "./protocols/protocols.ts";

/** What the model said to an input. */
export type Said =
  | { readonly kind: "value"; readonly value: unknown; readonly facts?: Facts | undefined }
  /** An answer that is none: HTTP 500, cut off, NaN. */
  | { readonly kind: "broken"; readonly why: string }
  /** HTTP 4xx: it takes no such input. */
  | { readonly kind: "refused"; readonly why: string }
  /** Nobody can say: the ingress was not reached, or limits requests. */
  | { readonly kind: "unanswered"; readonly why: string };

/** The request for an input. Throws UserError where the input cannot be one. */
export function requestFor(
  asking: Asking,
  input: unknown,
): Pick<IngressRequest, "path" | "method" | "headers" | "body" | "grpc" | "insecure" | "timeoutMs"> {
  const protocol: Protocol = protocols[asking.protocol];
  const { path, headers, insecure, timeoutMs } = asking;
  const { grpc } = protocol;
  if (grpc !== undefined) {
    const message = grpc.write(protocol.body(input, path), path);
    const { method } = grpc;
    return { path: method, method: "POST", headers, body: undefined, grpc: message, insecure, timeoutMs };
  }
  return {
    path,
    method: "POST",
    headers,
    body: writeExact(protocol.body(input, path)),
    insecure,
    timeoutMs,
  };
}

/** What came of it. Pure. */
export function saidBy(asking: Asking, outcome: IngressOutcome): Said {
  const came = cameTo(outcome);
  if (came.kind === "unanswered") return came;
  if (came.kind === "wrong") {
    const status = outcome.kind === "answer" ? outcome.answer.status : 0;
    return { kind: status >= 400 && status <= 499 ? "refused" : "broken", why: came.why };
  }
  if (came.answer.truncated === true) return { kind: "broken", why: "the answer is too large to be read" };
  const value = readBy(protocols[asking.protocol], came.answer);
  if (value.kind === "nothing") return { kind: "broken", why: value.why };
  const { value: whole, facts, rows } = value;
  if (asking.answer !== undefined) return { kind: "value", value: jsonAt(whole, asking.answer), facts };
  const isByRow = rows !== undefined && isOfLabels(asking.comparison);
  return { kind: "value", value: isByRow ? rows : whole, facts };
}

/** What is compared of an answer that somebody has kept as JSON. Pure. */
export function comparedOf({ protocol, answer: path, comparison }: Asking, answer: unknown): Read {
  const read = protocols[protocol].value(answer);
  if (read.kind === "nothing") return read;
  const value = path === undefined ? read.value : jsonAt(read.value, path);
  return { kind: "value", value: labelled(comparison, value) };
}

function readBy(protocol: Protocol, { body, message, arrivals = [] }: IngressAnswer): Read {
  if (protocol.grpc !== undefined) {
    if (message === undefined) return { kind: "nothing", why: "the answer has no message" };
    try {
      return protocol.value(protocol.grpc.read(message));
    } catch {
      return { kind: "nothing", why: "the answer is no message of the protocol" };
    }
  }
  if (protocol.stream !== undefined && isEventStream(body)) return protocol.stream(eventsOf(body, arrivals));
  const read = readJson(body);
  return read.kind === "nothing" ? read : protocol.value(read.value);
}
