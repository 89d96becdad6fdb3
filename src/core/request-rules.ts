import type { IngressSpec } from "./model.ts";
import { quantityProblem, quantityValue } from "./quantity.ts";

export const backendProtocols = ["http", "https", "grpc", "grpcs"] as const;

type RequestKey = "timeout" | "maxBodySize" | "protocol";

/** What is wrong with the options of requests, by key. Reads raw input. Pure. */
export function requestProblems(
  ingress: Readonly<Partial<Record<keyof IngressSpec, unknown>>>,
): Partial<Record<RequestKey, string>> {
  const found: Partial<Record<RequestKey, string>> = {};
  const { timeout, maxBodySize, protocol } = ingress;
  if (timeout !== undefined && !(typeof timeout === "number" && Number.isInteger(timeout) && timeout >= 1))
    found.timeout = `is ${JSON.stringify(timeout)}, but must be a whole number of seconds, 1 or more`;
  if (protocol !== undefined && !backendProtocols.some((known) => known === protocol))
    found.protocol = `is ${JSON.stringify(protocol)}, but must be one of ${backendProtocols.join(", ")}`;
  if (maxBodySize === undefined || maxBodySize === "unlimited") return found;
  if (typeof maxBodySize !== "string") {
    found.maxBodySize = `is ${JSON.stringify(maxBodySize)}, but must be a text, for example "64Mi" or "unlimited"`;
    return found;
  }
  const wrong = quantityProblem(maxBodySize);
  const bytes = quantityValue(maxBodySize) ?? 0;
  if (wrong !== undefined) found.maxBodySize = wrong;
  else if (bytes < 1)
    found.maxBodySize = `"${maxBodySize}" lets no request with a body through; write "unlimited" for no limit`;
  else if (protocol === "grpc" || protocol === "grpcs") {
    found.maxBodySize = `"${maxBodySize}" cannot be kept with protocol "${protocol}": a gRPC stream has no size until it ends; write "unlimited", and limit messages in the model server`;
  }
  return found;
}
