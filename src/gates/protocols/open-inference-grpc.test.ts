import protobuf from "protobufjs/minimal.js";
import { expect, test } from "vitest";
import { openInferenceGrpc } from "./open-inference-grpc.ts";

const { grpc } = openInferenceGrpc;

test("requests are messages of the protocol", () => {
  const path = "/v2/models/fraud/versions/3/infer";
  const bytes = grpc?.write(openInferenceGrpc.body([0.5, 2], path), path) ?? new Uint8Array();
  const reader = protobuf.Reader.create(bytes);
  const found: Record<number, unknown> = {};
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    found[tag >>> 3] = tag >>> 3 === 5 ? reader.bytes() : reader.string();
  }
  expect(found).toMatchObject({ 1: "fraud", 2: "3" });
  const expected = protobuf.Writer.create();
  expected.uint32(0x0a).string("input-0").uint32(0x12).string("FP64");
  expected.uint32(0x1a).fork().int64(1).int64(2).ldelim();
  expected.uint32(0x2a).fork().uint32(0x3a).fork().double(0.5).double(2).ldelim().ldelim();
  expect(Buffer.from(found[5] as Uint8Array)).toEqual(Buffer.from(expected.finish()));
});

/** An answer with one output, as a server writes it. */
function answer(datatype: string, contents: (writer: protobuf.Writer) => void, raw?: Uint8Array): unknown {
  const writer = protobuf.Writer.create();
  const output = writer.uint32(0x2a).fork().uint32(0x0a).string("p").uint32(0x12).string(datatype);
  output.uint32(0x1a).fork().int64(1).ldelim();
  if (raw === undefined) {
    output.uint32(0x2a).fork();
    contents(output);
    output.ldelim();
  }
  output.ldelim();
  if (raw !== undefined) writer.uint32(0x32).bytes(raw);
  const read = openInferenceGrpc.value(grpc?.read(writer.finish()));
  return read.kind === "value" ? read.value : read.why;
}

test("answers are values, in fields or raw", () => {
  expect(answer("FP64", (writer) => writer.uint32(0x3a).fork().double(0.25).double(1).ldelim())).toEqual([
    0.25, 1,
  ]);
  expect(answer("INT64", (writer) => writer.uint32(0x1a).fork().int64(-7).ldelim())).toBe(-7);
  expect(answer("BYTES", (writer) => writer.uint32(0x42).bytes(Buffer.from("fraud")))).toBe("fraud");
  expect(answer("FP32", () => {}, new Uint8Array(new Float32Array([0.5, -1]).buffer))).toEqual([0.5, -1]);
  expect(answer("FP16", () => {}, Uint8Array.of(0x00, 0x3c, 0x00, 0xc0))).toEqual([1, -2]);
  expect(answer("BYTES", () => {}, Buffer.from("\u0005\0\0\0fraud\u0002\0\0\0ok"))).toEqual(["fraud", "ok"]);
  expect(answer("STRANGE", () => {}, Uint8Array.of(1))).toBe("output 0 of the answer has no data");
});

test("what is no message is told, and NaN comes through to be told", () => {
  expect(() => grpc?.read(Uint8Array.of(0x2a, 0x7f))).toThrow();
  expect(answer("FP64", (writer) => writer.uint32(0x3a).fork().double(Number.NaN).ldelim())).toBeNaN();
});

test("ids of 64 bits stay what they are, both ways", () => {
  const id = 9_007_199_254_740_993n;
  expect(answer("INT64", (writer) => writer.uint32(0x1a).fork().int64(id.toString()).ldelim())).toBe(id);
  const raw = Buffer.alloc(8);
  raw.writeBigInt64LE(-id);
  expect(answer("INT64", () => {}, raw)).toBe(-id);
  const path = "/v2/models/fraud/infer";
  const bytes = Buffer.from(grpc?.write(openInferenceGrpc.body([id, 7], path), path) ?? []);
  const expected = protobuf.Writer.create().fork().int64(id.toString()).int64(7).ldelim().finish();
  expect(bytes.includes(Buffer.from(expected))).toBe(true);
});
