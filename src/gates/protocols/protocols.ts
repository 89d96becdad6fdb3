import { openInference } from "./open-inference.ts";
import { openInferenceGrpc } from "./open-inference-grpc.ts";
import { openai } from "./openai.ts";
import { plainJson } from "./plain-json.ts";
import type { Protocol } from "./protocol.ts";
import type { ProtocolName } from "./protocol-names.ts";

export const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  "open-inference": openInference,
  "open-inference-grpc": openInferenceGrpc,
  openai,
  json: plainJson,
};
