import { expect, test } from "vitest";
import { encodeFields, frame, readField, unframe } from "./grpc-message.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("texts become a message, nested ones a message in it", () => {
  expect(encodeFields({})).toEqual(bytes());
  // As protoc writes { name: "ab" }.
  expect(encodeFields({ "1": "ab" })).toEqual(bytes(0x0a, 2, 0x61, 0x62));
  expect(encodeFields({ "1.1": "ab", "2": "c" })).toEqual(bytes(0x12, 1, 0x63, 0x0a, 4, 0x0a, 2, 0x61, 0x62));
  expect(encodeFields({ "16": "x".repeat(200) }).slice(0, 4)).toEqual(bytes(0x82, 0x01, 0xc8, 0x01));
});

test("one value of a message is read by the numbers of its fields", () => {
  // 3: fixed64, 4: fixed32, 1: { 2: { 1: 300 } }, 2: "v1", 2: "v2"
  const message = bytes(
    ...[0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, 0, 0, 0, 0],
    ...[0x0a, 5, 0x12, 3, 0x08, 0xac, 0x02],
    ...[0x12, 2, 0x76, 0x31, 0x12, 2, 0x76, 0x32],
  );
  expect(readField(message, "2")).toBe("v1");
  expect(readField(message, "1.2.1")).toBe("300");
  expect(readField(message, "1.2.1.1")).toBeUndefined();
  expect(readField(message, "5")).toBeUndefined();
  expect(readField(encodeFields({ "1.1": "fraud" }), "1.1")).toBe("fraud");
});

test("what is no message has no value", () => {
  for (const broken of [bytes(0x12, 9, 0x76), bytes(0x80), bytes(0x0b), bytes(0x08, 0xff)]) {
    expect(readField(broken, "2")).toBeUndefined();
  }
});

test("a message is sent after its length", () => {
  expect(frame(bytes(7, 8))).toEqual(bytes(0, 0, 0, 0, 2, 7, 8));
  expect(unframe(frame(bytes(7, 8)))).toEqual(bytes(7, 8));
  expect(unframe(frame(bytes(7, 8)).subarray(0, 6))).toBeUndefined();
  expect(unframe(bytes(1, 0, 0, 0, 0))).toBeUndefined();
  expect(unframe(bytes())).toBeUndefined();
});
