import { z } from "zod";
import { openInference } from "./open-inference.ts";
import { plainJson } from "./plain-json.ts";
import type { Protocol } from "./protocol.ts";

/** The protocols by the name that a configuration has for them. */
export const protocols = { "open-inference": openInference, json: plainJson } as const satisfies Record<
  string,
  Protocol
>;

export type ProtocolName = keyof typeof protocols;

export const protocolNames = Object.keys(protocols) as [ProtocolName, ...ProtocolName[]];

export const protocolSchema = z
  .enum(protocolNames)
  .optional()
  .describe("How inputs and answers look. Default: open-inference under /v2/, else json");

/** What a path says by itself. Pure. */
export function protocolAt(path: string): ProtocolName {
  return /\/v2\//.test(path) ? "open-inference" : "json";
}
