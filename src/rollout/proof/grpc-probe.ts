import { connect } from "node:http2";
import { isIP } from "node:net";
import type { IdentityAnswer } from "../../core/identity.ts";
import { frame, unframe } from "./grpc-message.ts";
import { largestAnswer, type ProbeRequest } from "./probe-request.ts";

/**
 * Calls a unary method on a connection of its own; a call that fails is an answer, too. What the server says after its message is among
 * the headers. Certificates are verified where the probe over HTTP verifies them.
 */
export function callGrpc(request: ProbeRequest & { readonly grpc: Uint8Array }): Promise<IdentityAnswer> {
  const { endpoint, host } = request;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  const name = host.replace(/:\d+$/, "");
  return new Promise((resolve, reject) => {
    const address = isIP(endpoint.address) === 6 ? `[${endpoint.address}]` : endpoint.address;
    const session = connect(`${endpoint.protocol}://${address}:${endpoint.port}`, {
      rejectUnauthorized: request.verified === true,
      ...(isIP(name) ? {} : { servername: name }),
    });
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", onAbort);
      session.destroy();
      act();
    };
    const failed = (error: Error) => settle(() => reject(error));
    const onAbort = () =>
      failed(
        request.signal.aborted
          ? new DOMException("This operation was aborted", "AbortError")
          : new Error(`no answer within ${request.timeoutMs} ms`),
      );
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    session.on("error", failed);
    const stream = session.request({
      ":method": "POST",
      ":path": request.path,
      ":authority": host,
      "content-type": "application/grpc",
      te: "trailers",
      ...request.headers,
    });
    const headers: Record<string, string> = {};
    const chunks: Buffer[] = [];
    let size = 0;
    const keep = (more: Readonly<Record<string, unknown>>) => {
      for (const [key, value] of Object.entries(more)) {
        if (value !== undefined) headers[key] = Array.isArray(value) ? value.join(", ") : String(value);
      }
    };
    stream.on("response", keep);
    stream.on("trailers", keep);
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= largestAnswer) chunks.push(chunk);
      else failed(new Error(`the answer is larger than ${largestAnswer / 1_000_000} MB`));
    });
    stream.on("error", failed);
    stream.on("close", () => {
      const body = Buffer.concat(chunks);
      const status = Number(headers[":status"] ?? 0);
      if (status === 0) failed(new Error("the connection was closed without an answer"));
      settle(() => resolve({ status, headers, body: body.toString("utf8"), message: unframe(body) }));
    });
    stream.end(frame(request.grpc));
  });
}
