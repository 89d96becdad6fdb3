import { isIP } from "node:net";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import type { callGrpc } from "./grpc-probe.ts";
import { largestAnswer, type Probe } from "./probe-request.ts";

// Imported as modules they would load all that they export, also a fetch that nobody here uses: a seventh of the time until a rollback's first write.
const { request: httpRequest } = process.getBuiltinModule("node:http");
const { request: httpsRequest } = process.getBuiltinModule("node:https");

/**
 * The real probe. Certificates are not verified: a proof is about which slot answers, and the controller's default
 * certificate, or one that is still being issued, must not stop a rollback. `modelswitch doctor` looks at certificates. What carries
 * people's own headers, or judges a release, asks `verified`.
 */
export const probe: Probe = (request) =>
  request.grpc === undefined
    ? send(request)
    : sendGrpc({ ...request, grpc: request.grpc, host: hostHeader(request.endpoint, request.host) });

const sendGrpc = async (request: Parameters<typeof callGrpc>[0]) =>
  await (await import("./grpc-probe.ts")).callGrpc(request);

const send: Probe = (request) =>
  new Promise((resolve, reject) => {
    const { endpoint, host } = request;
    const common = {
      host: endpoint.address,
      port: endpoint.port,
      method: request.method ?? "GET",
      path: request.path,
      // A connection of its own: kept connections may be pinned to what a controller worker knew earlier.
      agent: false,
      headers: { host: hostHeader(endpoint, host), accept: "application/json, */*", ...request.headers },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]),
    } as const;
    const sent =
      endpoint.protocol === "https"
        ? httpsRequest({
            ...common,
            rejectUnauthorized: request.verified === true,
            ...(isIP(host) ? {} : { servername: host }),
          })
        : httpRequest(common);
    let hasBegun = false;
    const failed = (error: Error) => {
      const late = common.signal.aborted && !request.signal.aborted;
      const what = hasBegun ? "no end of the answer" : "no answer";
      reject(late ? new Error(`${what} within ${request.timeoutMs} ms`) : error);
    };
    sent.on("error", failed);
    sent.on("response", (response) => {
      hasBegun = true;
      const chunks: Buffer[] = [];
      let size = 0;
      const answered = (truncated: boolean) => {
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(response.headers)) {
          if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
        }
        const body = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers, body, ...(truncated ? { truncated } : {}) });
      };
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        request.onData?.(size);
        if (size <= largestAnswer) {
          chunks.push(chunk);
          return;
        }
        // Whatever else comes, perhaps without an end, is not waited for.
        answered(true);
        sent.destroy();
      });
      response.on("error", failed);
      response.on("end", () => answered(false));
    });
    sent.end(request.body);
  });

/** Whether the TLS handshake failed by the certificate: that is the ingress's, whichever slot would have answered. */
export function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error && "code" in error)) return false;
  return /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|CRL_)/.test(
    String(error.code),
  );
}

function hostHeader(endpoint: Endpoint, host: string): string {
  const usual = endpoint.protocol === "https" ? 443 : 80;
  // What a client on this port would send.
  return endpoint.port === usual ? host : `${host}:${endpoint.port}`;
}
