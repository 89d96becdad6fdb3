import { z } from "zod";
import { count, otherwise, text } from "../../config/parts/schema-parts.ts";
import type { Comparison } from "./compare.ts";

/** How answers are compared, as a configuration says it. */
export type CompareConfig =
  | "exact"
  | "label"
  | "text"
  | "structure"
  | { readonly absolute?: number | undefined; readonly relative?: number | undefined }
  | { readonly topK: number }
  | { readonly cosine: number }
  | { readonly module: string };

export const compareSchema = z
  .union([
    z.enum(["exact", "label", "text", "structure"]),
    z.strictObject({
      absolute: z.number().min(0).optional().describe("Numbers may be off by so much"),
      relative: z.number().min(0).optional().describe("Or by this part of the number expected"),
    }),
    z.strictObject({ topK: count("The label is among so many", 1) }),
    z.strictObject({
      cosine: z.number().gt(0).max(1).describe("Embeddings: the least cosine of the two, for example 0.99"),
    }),
    z.strictObject({
      module: text("A module that exports compare(expected, answer), from the folder of the configuration"),
    }),
  ])
  .optional()
  .describe(`What makes an answer right. ${otherwise("exact")}`);

export function comparisonOf(compare: CompareConfig = "exact"): Comparison {
  if (typeof compare === "string") return { kind: compare };
  if ("topK" in compare) return { kind: "top-k", k: compare.topK };
  if ("cosine" in compare) return { kind: "cosine", least: compare.cosine };
  if ("module" in compare) return { kind: "module", file: compare.module };
  return { kind: "numbers", absolute: compare.absolute ?? 0, relative: compare.relative ?? 0 };
}
