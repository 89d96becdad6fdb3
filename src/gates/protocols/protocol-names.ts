import { z } from "zod";

/** The protocols by the name that a configuration has for them. Which each is, is loaded when somebody asks a model. */
export const protocolNames = ["open-inference", "open-inference-grpc", "openai", "json"] as const;
export type ProtocolName = (typeof protocolNames)[number];

export const protocolSchema = z
  .enum(protocolNames)
  .optional()
  .describe(
    "How inputs and answers look. Default: open-inference under /v2/, openai under /v1/ for its methods, else json",
  );

/** What a path says by itself. Pure. */
export function protocolAt(path: string): ProtocolName {
  if (/\/v2\//.test(path)) return "open-inference";
  return /\/v1\/(chat\/completions|completions|embeddings)\/?$/.test(path) ? "openai" : "json";
}
