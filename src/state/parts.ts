import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { exitCodes, UserError } from "../core/errors.ts";
import { mostParts } from "./names.ts";

/** What one Secret gets, bytes: the API server takes 1 MiB of data. */
export const partBytes = 900 * 1024;

/** A state as it is kept: compressed, and cut so that each part fits into a Secret. */
export interface Packed {
  readonly parts: readonly Buffer[];
  /** Of the text. */
  readonly sha256: string;
  /** Of the text. */
  readonly bytes: number;
}

/** Recognises a text. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** @throws UserError `state-too-large` */
export async function pack(text: string): Promise<Packed> {
  const packed = await promisify(gzip)(text);
  const count = Math.max(1, Math.ceil(packed.length / partBytes));
  if (count > mostParts) throw tooLarge(packed.length);
  const parts = Array.from({ length: count }, (_, index) =>
    packed.subarray(index * partBytes, (index + 1) * partBytes),
  );
  return { parts, sha256: digestOf(text), bytes: Buffer.byteLength(text) };
}

/** The text again; `undefined` where the parts are not those that the digest was taken of. */
export async function unpack(parts: readonly Buffer[], sha256: string): Promise<string | undefined> {
  try {
    const text = (await promisify(gunzip)(Buffer.concat(parts))).toString("utf8");
    return digestOf(text) === sha256 ? text : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(bytes: number): UserError {
  const mebibytes = (size: number) => `${(size / 1024 / 1024).toFixed(1)} MiB`;
  return new UserError({
    code: "state-too-large",
    message: `Pulumi's state has ${mebibytes(bytes)} compressed, and ${mebibytes(mostParts * partBytes)} fit into the cluster. It stays on this machine.`,
    hint: "Name another place for it: `pulumi.backend`, for example s3://BUCKET. `modelswitch state export` has the state.",
    exitCode: exitCodes.failed,
  });
}
