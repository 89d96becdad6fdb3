import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { GateIo } from "../../gates/io.ts";
import { type Lookup, resolveAddress } from "../observe/ingress-endpoints.ts";
import { statusOfGrpc } from "../proof/grpc-status.ts";
import { isUntrusted } from "../proof/probe.ts";
import type { Probe } from "../proof/probe-request.ts";

/** Two addresses that are compared, without a cluster. */
export interface Addresses {
  readonly live: string;
  readonly release: string;
}

/** Asks two addresses as slots are asked: a connection for each request. What stands before the path of an address goes before that of the requests. */
export function askedAddresses(
  { live, release }: Addresses,
  { probe, lookup, clock }: { readonly probe: Probe; readonly lookup: Lookup; readonly clock: Clock },
): GateIo["ask"] {
  return async (request) => {
    const url = new URL(request.route === "live" ? live : release);
    const { path, method, body, grpc, insecure, headers, timeoutMs, signal } = request;
    const startedAt = clock.now();
    try {
      const [endpoint] = await resolveAddress(url.href, lookup);
      if (endpoint === undefined) return { kind: "unreachable", why: `${url.hostname} has no address` };
      const answer = await probe({
        endpoint,
        host: url.hostname,
        path: `${url.pathname.replace(/\/+$/, "")}${path}`,
        method,
        body,
        grpc,
        verified: !insecure,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        timeoutMs,
        signal,
      });
      const { body: said, truncated, message } = answer;
      const status = grpc === undefined ? answer.status : statusOfGrpc(answer);
      const latencyMs = clock.now() - startedAt;
      const limit = status === 429 ? { limit: `HTTP 429 at ${url.origin}` } : {};
      return {
        kind: "answer",
        answer: {
          ...{ status, body: said, message },
          ...(truncated === true ? { truncated } : {}),
          ...limit,
        },
        latencyMs,
      };
    } catch (error) {
      if (signal.aborted) throw error;
      const why = `${url.origin}: ${messageOf(error)}`;
      return isUntrusted(error) || isUnreachable(error)
        ? { kind: "unreachable", why }
        : { kind: "broken", why };
    }
  };
}

/** No connection came about, so no model is to blame. */
function isUnreachable(error: unknown): boolean {
  const codes = [
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ETIMEDOUT",
    "ingress-unresolved",
  ];
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
