import { z } from "zod";
import { absolutePath, text } from "../config/parts/schema-parts.ts";
import type { Comparison } from "./cases/compare.ts";
import { type CompareConfig, compareSchema, comparisonOf } from "./cases/compare-config.ts";
import { anyCertificate, ingressHeaders } from "./ingress-rules.ts";
import { type Mask, maskOf } from "./mask.ts";
import { type ProtocolName, protocolAt, protocolSchema } from "./protocols/protocol-names.ts";

/** How a model is asked with the inputs of a file, as a configuration says it. */
export interface AskingConfig {
  /** A file of cases from the folder of the configuration: JSON Lines, or CSV where it ends so. */
  readonly cases: string;
  /** As clients ask, for example `/v2/models/fraud/infer`. */
  readonly path: string;
  /** How inputs and answers look. @default open-inference under /v2/, openai under /v1/ for its methods, else json */
  readonly protocol?: ProtocolName;
  /** How answers are compared. @default exact */
  readonly compare?: CompareConfig;
  /** Dot-separated path into what the protocol compares. @default all of it */
  readonly answer?: string;
  /**
   * What no report, record or event shows: dot-separated paths that begin with `input` or `answer`, `*` for every key or index, for example
   * `input.messages.*.content`; `answer` alone is all that is compared.
   * @default none
   */
  readonly mask?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Take any certificate of the ingress, over https: whoever answers in its place gets the inputs. @default false */
  readonly insecure?: boolean;
}

/** The same, resolved. */
export interface Asking {
  readonly cases: string;
  readonly path: string;
  readonly protocol: ProtocolName;
  readonly comparison: Comparison;
  readonly answer: string | undefined;
  readonly mask: Mask;
  readonly headers: Readonly<Record<string, string>>;
  readonly insecure: boolean;
  readonly timeoutMs: number;
}

const maskPath = z
  .string()
  .regex(
    /^(input|answer)(\.[^.\s]+)*$/,
    'begins with neither "input" nor "answer", as "input.messages.*.content" does',
  );

export const askingShape = {
  cases: text("A file of cases from the folder of the configuration: JSON Lines, or CSV where it ends so"),
  path: absolutePath.describe("As clients ask, for example /v2/models/fraud/infer"),
  protocol: protocolSchema,
  compare: compareSchema,
  answer: text("Dot-separated path into what the protocol compares. Default: all of it").optional(),
  mask: z
    .array(maskPath)
    .optional()
    .describe(
      "What no report, record or event shows: paths that begin with input or answer, * for every key. Default: none",
    ),
  headers: ingressHeaders,
  insecure: anyCertificate,
} as const;

export function askingOf(config: AskingConfig, timeoutMs: number): Asking {
  const { cases, path, protocol, compare, answer, mask, headers, insecure } = config;
  return {
    cases,
    path,
    protocol: protocol ?? protocolAt(path),
    comparison: comparisonOf(compare),
    answer,
    mask: maskOf(mask ?? []),
    headers: headers ?? {},
    insecure: insecure ?? false,
    timeoutMs,
  };
}
