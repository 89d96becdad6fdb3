import { createHash } from "node:crypto";
import { writeExact } from "../../core/exact-json.ts";
import type { GoldenCase } from "./case.ts";

const known = new WeakMap<readonly GoldenCase[], string>();

/** Of what is asked and where it belongs: whether a file is the same as at the look before. */
export function digestOf(cases: readonly GoldenCase[]): string {
  const before = known.get(cases);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  for (const { input, segment } of cases) hash.update(`${writeExact([input, segment ?? null])}\n`);
  const digest = hash.digest("hex").slice(0, 16);
  known.set(cases, digest);
  return digest;
}
