/**
 * As much of the encoding of gRPC and Protocol Buffers as an identity needs: requests that hold texts, and one value of an answer.
 * Fields are named by their numbers, `1.2` for field 2 in the message of field 1.
 * https://protobuf.dev/programming-guides/encoding/ and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */

/** Texts by the numbers of their fields. */
export type GrpcFields = Readonly<Record<string, string>>;

/** The numbers that lead to a field: `2`, `1.2`. */
export const fieldPathPattern = /^[1-9]\d*(\.[1-9]\d*)*$/;

/** A method as it is called: SERVICE/METHOD. */
export const methodPattern = /^[^/\s]+\/[^/\s]+$/;

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

/** A message that holds these texts. */
export function encodeFields(fields: GrpcFields): Uint8Array {
  const texts = new Map<number, string>();
  const nested = new Map<number, Record<string, string>>();
  for (const [path, value] of Object.entries(fields)) {
    const [first = "", ...rest] = path.split(".");
    const number = Number(first);
    if (rest.length === 0) texts.set(number, value);
    else nested.set(number, { ...nested.get(number), [rest.join(".")]: value });
  }
  const parts = [
    ...[...texts].map(([number, text]) => field(number, new TextEncoder().encode(text))),
    ...[...nested].map(([number, inner]) => field(number, encodeFields(inner))),
  ];
  return joined(parts);
}

function field(number: number, contents: Uint8Array): Uint8Array {
  return joined([encodeVarint(number * 8 + lengthDelimited), encodeVarint(contents.length), contents]);
}

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first text or whole number at a path; `undefined` where there is none, or the bytes are no message. */
export function readField(message: Uint8Array, path: string): string | undefined {
  const [first = "", ...rest] = path.split(".");
  const found = firstField(message, Number(first));
  if (found === undefined) return undefined;
  if (typeof found === "bigint") return rest.length === 0 ? String(found) : undefined;
  return rest.length === 0 ? new TextDecoder().decode(found) : readField(found, rest.join("."));
}

function firstField(message: Uint8Array, wanted: number): bigint | Uint8Array | undefined {
  let at = 0;
  while (at < message.length) {
    const tag = decodeVarint(message, at);
    if (tag === undefined) return undefined;
    at = tag.end;
    const number = Number(tag.value >> 3n);
    switch (Number(tag.value & 7n)) {
      case varint: {
        const value = decodeVarint(message, at);
        if (value === undefined) return undefined;
        if (number === wanted) return value.value;
        at = value.end;
        break;
      }
      case lengthDelimited: {
        const length = decodeVarint(message, at);
        if (length === undefined) return undefined;
        const end = length.end + Number(length.value);
        if (end > message.length) return undefined;
        if (number === wanted) return message.subarray(length.end, end);
        at = end;
        break;
      }
      case fixed64:
        at += 8;
        break;
      case fixed32:
        at += 4;
        break;
      default:
        return undefined;
    }
  }
  return undefined;
}

function decodeVarint(bytes: Uint8Array, from: number): { value: bigint; end: number } | undefined {
  let value = 0n;
  for (let at = from; at < bytes.length && at < from + 10; at++) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 127) << BigInt(7 * (at - from));
    if (byte < 128) return { value, end: at + 1 };
  }
  return undefined;
}

/** A message as gRPC sends it: not compressed, after its length. */
export function frame(message: Uint8Array): Uint8Array {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(1, message.length);
  return joined([head, message]);
}

/** The first message that was sent; `undefined` where it is not complete, or compressed. */
export function unframe(body: Uint8Array): Uint8Array | undefined {
  if (body.length < 5 || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return body.length < 5 + length ? undefined : body.subarray(5, 5 + length);
}
