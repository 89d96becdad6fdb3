import protobuf from "protobufjs/minimal.js";
import type { GrpcFields } from "../../core/grpc-names.ts";

/**
 * Messages of methods whose definition is not at hand: requests that hold texts, and one value of an answer. Fields are named by their
 * numbers, so Protocol Buffers' wire format is all that is needed.
 * https://protobuf.dev/programming-guides/encoding/ and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */

/** Wire types of that format. */
const varint = 0;
const lengthDelimited = 2;

/** A message that holds these texts. */
export function encodeFields(fields: GrpcFields): Uint8Array {
  return Uint8Array.from(written(protobuf.Writer.create(), fields).finish());
}

function written(writer: protobuf.Writer, fields: GrpcFields): protobuf.Writer {
  const nested = new Map<number, Record<string, string>>();
  for (const [path, value] of Object.entries(fields)) {
    const [first = "", ...rest] = path.split(".");
    const number = Number(first);
    if (rest.length === 0) writer.uint32(tagOf(number)).string(value);
    else nested.set(number, { ...nested.get(number), [rest.join(".")]: value });
  }
  for (const [number, inner] of nested) written(writer.uint32(tagOf(number)).fork(), inner).ldelim();
  return writer;
}

const tagOf = (number: number): number => number * 8 + lengthDelimited;

/** The first text or whole number at a path; `undefined` where there is none, or the bytes are no message. */
export function readField(message: Uint8Array, path: string): string | undefined {
  const [first = "", ...rest] = path.split(".");
  const found = firstField(message, Number(first));
  if (found === undefined) return undefined;
  if (typeof found === "string") return rest.length === 0 ? found : undefined;
  return rest.length === 0 ? new TextDecoder().decode(found) : readField(found, rest.join("."));
}

/** A whole number as text, or the bytes of a text or message. */
function firstField(message: Uint8Array, wanted: number): string | Uint8Array | undefined {
  const reader = protobuf.Reader.create(message);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const wireType = tag & 7;
      const isWanted = tag >>> 3 === wanted;
      if (isWanted && wireType === varint) return reader.uint64().toString();
      if (isWanted && wireType === lengthDelimited) return reader.bytes();
      reader.skipType(wireType);
    }
  } catch {
    // A server may answer with anything.
  }
  return undefined;
}

/** A message as gRPC sends it: not compressed, after its length. */
export function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(5 + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, 5);
  return framed;
}

/** The first message that was sent; `undefined` where it is not complete, or compressed. */
export function unframe(body: Uint8Array): Uint8Array | undefined {
  if (body.length < 5 || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return body.length < 5 + length ? undefined : body.subarray(5, 5 + length);
}
