import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import {
  createAuthority,
  issueCertificate,
} from "../../../packages/local-cluster/src/cluster/certificates.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { encodeFields, frame, readField, unframe } from "./grpc-message.ts";
import { probe } from "./probe.ts";

let server: Http2Server | undefined;

afterEach(async () => {
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
});

type Answer = (stream: ServerHttp2Stream, request: Uint8Array) => void;

/** A server that hands every whole request to `answer`, and what it saw of them. */
async function listen(answer: Answer, secure = false) {
  const seen: Record<string, unknown>[] = [];
  const sessions = { count: 0 };
  const validFrom = new Date();
  const authority = await createAuthority("nobody trusts this", validFrom);
  const credential = await issueCertificate(authority, {
    subject: { commonName: "default" },
    serverNames: ["default.test"],
    validFrom,
  });
  const own = secure
    ? createSecureServer({ cert: credential.certificate, key: credential.key })
    : createServer();
  server = own;
  own.on("session", () => {
    sessions.count += 1;
  });
  own.on("stream", (stream, headers) => {
    seen.push(headers);
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => answer(stream, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  const { port } = own.address() as AddressInfo;
  const protocol = secure ? "https" : "http";
  const endpoint: Endpoint = { protocol, address: "127.0.0.1", port, url: `${protocol}://127.0.0.1:${port}` };
  return { endpoint, seen, sessions };
}

const call = (endpoint: Endpoint, changes: Partial<Parameters<typeof probe>[0]> = {}) =>
  probe({
    endpoint,
    host: "fraud.test",
    path: "/a.B/C",
    grpc: encodeFields({ "1": "fraud" }),
    headers: { "X-Preview": "always" },
    timeoutMs: 2_000,
    signal: new AbortController().signal,
    ...changes,
  });

const echo: Answer = (stream, request) => {
  const name = readField(unframe(request) ?? new Uint8Array(), "1") ?? "";
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-version": "7" }));
  stream.end(frame(encodeFields({ "2": `${name} 1.5` })));
};

test.each([false, true])("calls the method on a connection of its own (TLS: %s)", async (secure) => {
  const { endpoint, seen, sessions } = await listen(echo, secure);
  for (let index = 0; index < 2; index++) {
    const { status, headers, message } = await call(endpoint);
    expect({ status, value: readField(message ?? new Uint8Array(), "2") }).toEqual({
      status: 200,
      value: "fraud 1.5",
    });
    expect(headers).toMatchObject({ "grpc-status": "0", "x-version": "7" });
  }
  expect(sessions.count).toBe(2);
  expect(seen[0]).toMatchObject({
    ":method": "POST",
    ":path": "/a.B/C",
    ":authority": `fraud.test:${endpoint.port}`,
    "content-type": "application/grpc",
    te: "trailers",
    "x-preview": "always",
  });
});

test("a call that fails is an answer", async () => {
  const { endpoint } = await listen((stream) => {
    stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true });
  });
  const answer = await call(endpoint);
  expect(answer.headers["grpc-status"]).toBe("12");
  expect(answer.message).toBeUndefined();
});

test("silence ends at the timeout, and with the command", async () => {
  const { endpoint } = await listen(() => {});
  await expect(call(endpoint, { timeoutMs: 50 })).rejects.toThrow("no answer within 50 ms");
  await expect(call(endpoint, { signal: AbortSignal.timeout(20) })).rejects.toThrow();
  await expect(call(endpoint, { signal: AbortSignal.abort() })).rejects.toThrow();
});

test("nobody there, and a connection that is cut, are errors", async () => {
  const { endpoint } = await listen((stream) => stream.session?.destroy());
  await expect(call({ ...endpoint, port: 1 })).rejects.toThrow(/ECONNREFUSED/);
  await expect(call(endpoint)).rejects.toThrow();
});
