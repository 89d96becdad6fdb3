import protobuf from "protobufjs/light.js";
import { exitCodes, UserError } from "../../core/errors.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import { openInference } from "./open-inference.ts";
import type { Protocol } from "./protocol.ts";

/**
 * Open Inference v2 over gRPC: inputs and answers as over REST, as messages of
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto. The path is that of REST, and names
 * the model.
 */
export const openInferenceGrpc: Protocol = {
  body: openInference.body,
  value: openInference.value,
  grpc: { method: "/inference.GRPCInferenceService/ModelInfer", write, read },
};

const tensorFields = {
  name: { id: 1, type: "string" },
  datatype: { id: 2, type: "string" },
  shape: { id: 3, rule: "repeated", type: "int64" },
  contents: { id: 5, type: "Contents" },
};

/** What is needed of that file. */
const root = protobuf.Root.fromJSON({
  nested: {
    Contents: {
      fields: {
        boolContents: { id: 1, rule: "repeated", type: "bool" },
        intContents: { id: 2, rule: "repeated", type: "int32" },
        int64Contents: { id: 3, rule: "repeated", type: "int64" },
        uintContents: { id: 4, rule: "repeated", type: "uint32" },
        uint64Contents: { id: 5, rule: "repeated", type: "uint64" },
        fp32Contents: { id: 6, rule: "repeated", type: "float" },
        fp64Contents: { id: 7, rule: "repeated", type: "double" },
        bytesContents: { id: 8, rule: "repeated", type: "bytes" },
      },
    },
    Tensor: { fields: tensorFields },
    Request: {
      fields: {
        modelName: { id: 1, type: "string" },
        modelVersion: { id: 2, type: "string" },
        id: { id: 3, type: "string" },
        inputs: { id: 5, rule: "repeated", type: "Tensor" },
      },
    },
    Answer: {
      fields: {
        modelName: { id: 1, type: "string" },
        modelVersion: { id: 2, type: "string" },
        outputs: { id: 5, rule: "repeated", type: "Tensor" },
        rawOutputContents: { id: 6, rule: "repeated", type: "bytes" },
      },
    },
  },
});

const contentsOf: Readonly<Record<string, string>> = {
  BOOL: "boolContents",
  INT8: "intContents",
  INT16: "intContents",
  INT32: "intContents",
  INT64: "int64Contents",
  UINT8: "uintContents",
  UINT16: "uintContents",
  UINT32: "uintContents",
  UINT64: "uint64Contents",
  FP32: "fp32Contents",
  FP64: "fp64Contents",
  BYTES: "bytesContents",
};

function write(body: unknown, path: string): Uint8Array {
  const { id, inputs } = isFields(body) ? body : { id: undefined, inputs: [] };
  const named = /\/models\/([^/]+)(?:\/versions\/([^/]+))?/.exec(path);
  const type = root.lookupType("Request");
  const tensors = Array.isArray(inputs) ? inputs.filter(isFields) : [];
  return type
    .encode(
      type.create({
        modelName: decodeURIComponent(named?.[1] ?? ""),
        modelVersion: decodeURIComponent(named?.[2] ?? ""),
        id: typeof id === "string" ? id : "",
        inputs: tensors.map(tensorOf),
      }),
    )
    .finish();
}

function tensorOf({ name, datatype, shape, data }: Fields): object {
  const key = contentsOf[String(datatype)];
  if (key === undefined) {
    throw new UserError({
      code: "cases-invalid",
      message: `The tensor ${String(name)} is of the type ${String(datatype)}, which gRPC sends as raw bytes only.`,
      hint: "Write its numbers as FP32.",
      exitCode: exitCodes.usage,
    });
  }
  const values = (Array.isArray(data) ? data.flat(Number.POSITIVE_INFINITY) : []).map((one: unknown) =>
    typeof one === "bigint" ? longOf(one) : one,
  );
  return {
    ...{ name, datatype, shape },
    contents: { [key]: key === "bytesContents" ? values.map((one) => Buffer.from(String(one))) : values },
  };
}

function read(message: Uint8Array): unknown {
  const type = root.lookupType("Answer");
  const { outputs, rawOutputContents, ...rest } = type.toObject(type.decode(message), {
    longs: String,
    arrays: true,
  }) as { outputs: Fields[]; rawOutputContents: Uint8Array[] };
  return {
    ...rest,
    outputs: outputs.map(({ name, datatype, shape, contents }, index) => {
      const raw = rawOutputContents[index];
      const key = contentsOf[String(datatype)] ?? "";
      const held: unknown = isFields(contents) ? contents[key] : [];
      const values = raw === undefined ? held : rawValues(String(datatype), Buffer.from(raw));
      const plain = (one: unknown) =>
        one instanceof Uint8Array
          ? Buffer.from(one).toString("utf8")
          : typeof one === "string"
            ? integerOf(BigInt(one))
            : one;
      return {
        ...{ name, datatype },
        shape: Array.isArray(shape) ? shape.map(Number) : shape,
        data: Array.isArray(values) ? values.map(plain) : undefined,
      };
    }),
  };
}

/** A number where a double holds it. */
function integerOf(value: bigint): number | bigint {
  return BigInt(Number(value)) === value ? Number(value) : value;
}

/** As the library writes integers of 64 bits. */
function longOf(value: bigint): object {
  const bits = BigInt.asUintN(64, value);
  return {
    low: Number(BigInt.asIntN(32, bits)),
    high: Number(BigInt.asIntN(32, bits >> 32n)),
    unsigned: value > 0n,
  };
}

/** Values in the order of memory, little-endian; texts after their length. `undefined`: of a type that is not known. */
function rawValues(datatype: string, bytes: Buffer): unknown[] | undefined {
  if (datatype === "BYTES") {
    const texts: Buffer[] = [];
    for (let at = 0; at + 4 <= bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      texts.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return texts;
  }
  const reader = readers[datatype];
  if (reader === undefined) return undefined;
  const [size, readAt] = reader;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => readAt(bytes, index * size));
}

const readers: Readonly<Record<string, readonly [number, (bytes: Buffer, at: number) => unknown]>> = {
  BOOL: [1, (bytes, at) => bytes[at] !== 0],
  INT8: [1, (bytes, at) => bytes.readInt8(at)],
  INT16: [2, (bytes, at) => bytes.readInt16LE(at)],
  INT32: [4, (bytes, at) => bytes.readInt32LE(at)],
  INT64: [8, (bytes, at) => integerOf(bytes.readBigInt64LE(at))],
  UINT8: [1, (bytes, at) => bytes.readUInt8(at)],
  UINT16: [2, (bytes, at) => bytes.readUInt16LE(at)],
  UINT32: [4, (bytes, at) => bytes.readUInt32LE(at)],
  UINT64: [8, (bytes, at) => integerOf(bytes.readBigUInt64LE(at))],
  FP16: [2, (bytes, at) => half(bytes.readUInt16LE(at))],
  BF16: [2, (bytes, at) => Buffer.from([0, 0, bytes[at] ?? 0, bytes[at + 1] ?? 0]).readFloatLE(0)],
  FP32: [4, (bytes, at) => bytes.readFloatLE(at)],
  FP64: [8, (bytes, at) => bytes.readDoubleLE(at)],
};

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
