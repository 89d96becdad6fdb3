import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createAuthority,
  issueCertificate,
} from "../../../packages/local-cluster/src/cluster/certificates.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { isUntrusted, probe } from "./probe.ts";

let server: Server;
let endpoint: Endpoint;
let connections = 0;
let answer: (path: string) => { status: number; body: string } | undefined = () => ({
  status: 200,
  body: "1",
});
let hosts: (string | undefined)[] = [];

beforeEach(async () => {
  connections = 0;
  hosts = [];
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    const given = answer(request.url ?? "");
    if (given === undefined) return;
    response.writeHead(given.status, { "X-Version": "1.5" });
    response.end(given.body);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  endpoint = { protocol: "http", address: "127.0.0.1", port, url: `http://127.0.0.1:${port}` };
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const request = (changes: Partial<Parameters<typeof probe>[0]> = {}) =>
  probe({
    endpoint,
    host: "fraud.test",
    path: "/v2/models/m",
    headers: { "X-Preview": "always" },
    timeoutMs: 2_000,
    signal: new AbortController().signal,
    ...changes,
  });

describe("probe", () => {
  test("opens a connection for every request and names the model's host", async () => {
    for (let index = 0; index < 3; index++) {
      await expect(request()).resolves.toMatchObject({
        status: 200,
        body: "1",
        headers: { "x-version": "1.5" },
      });
    }
    expect(connections).toBe(3);
    expect(hosts).toEqual(Array.from({ length: 3 }, () => `fraud.test:${endpoint.port}`));
  });

  test("an answer without an end is read as far as is needed, and let go", async () => {
    let closed = false;
    server.removeAllListeners("request");
    server.on("request", (_, response) => {
      response.writeHead(200, { "X-Version": "1.5" });
      response.on("close", () => {
        closed = true;
      });
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(50_000)));
      };
      response.on("drain", more);
      more();
    });
    const answered = await request();
    expect(answered).toMatchObject({ status: 200, headers: { "x-version": "1.5" }, truncated: true });
    expect(answered.body.length).toBeLessThanOrEqual(1_000_000);
    await expect.poll(() => closed).toBe(true);
  });

  test("an answer that drips has its time, and no more", async () => {
    server.removeAllListeners("request");
    server.on("request", (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(drip));
    });
    // Long enough for a busy machine to be connected and to hear the first of it.
    await expect(request({ timeoutMs: 2_000 })).rejects.toThrow("no end of the answer within 2000 ms");
  });

  test("an error status is an answer", async () => {
    answer = () => ({ status: 503, body: "no" });
    await expect(request()).resolves.toMatchObject({ status: 503 });
  });

  test("silence ends at the timeout", async () => {
    answer = () => undefined;
    await expect(request({ timeoutMs: 50 })).rejects.toThrow("no answer within 50 ms");
  });

  test("nobody there is an error", async () => {
    await expect(request({ endpoint: { ...endpoint, port: 1 } })).rejects.toThrow(/ECONNREFUSED/);
  });

  test("stops with the command", async () => {
    answer = () => undefined;
    await expect(request({ signal: AbortSignal.timeout(20) })).rejects.toThrow();
  });
});

describe("probe of an ingress with TLS", () => {
  /** Controllers choose certificate and route by the server name; one that nobody trusts is their default. */
  async function withSecureServer(
    work: (endpoint: Endpoint, seen: unknown[], authority: string) => Promise<void>,
  ): Promise<void> {
    const validFrom = new Date();
    const authority = await createAuthority("nobody trusts this", validFrom);
    const credential = await issueCertificate(authority, {
      subject: { commonName: "default" },
      serverNames: ["default.test"],
      validFrom,
    });
    const seen: unknown[] = [];
    const secure = createSecureServer(
      { cert: credential.certificate, key: credential.key },
      (got, response) => {
        const { servername } = got.socket as TLSSocket & { readonly servername?: string | false };
        seen.push({ servername, host: got.headers.host, preview: got.headers["x-preview"] });
        response.end("1");
      },
    );
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const { port } = secure.address() as AddressInfo;
    try {
      const url = `https://127.0.0.1:${port}`;
      await work({ protocol: "https", address: "127.0.0.1", port, url }, seen, authority.certificate);
    } finally {
      secure.closeAllConnections();
      await new Promise((resolve) => secure.close(resolve));
    }
  }

  test("names the model's host in the handshake, whatever address is connected to and whoever signed the certificate", async () => {
    await withSecureServer(async (secure, seen) => {
      await expect(request({ endpoint: secure })).resolves.toMatchObject({ status: 200, body: "1" });
      expect(seen).toEqual([
        { servername: "fraud.test", host: `fraud.test:${secure.port}`, preview: "always" },
      ]);
    });
  });

  test("where it is to be verified, the certificate has to be the host's, and be signed by somebody trusted", async () => {
    await withSecureServer(async (secure, seen, authority) => {
      const ask = (host: string) =>
        request({ endpoint: secure, verified: true, host }).then(
          ({ status }) => status,
          (error: unknown) => (isUntrusted(error) ? "untrusted" : error),
        );
      expect(await ask("default.test")).toBe("untrusted");
      const trusted = getCACertificates("default");
      setDefaultCACertificates([authority]);
      try {
        expect(await ask("default.test")).toBe(200);
        expect(await ask("fraud.test")).toBe("untrusted");
      } finally {
        setDefaultCACertificates(trusted);
      }
      // Whoever is not trusted has not seen a header.
      expect(seen).toHaveLength(1);
    });
  });

  test("plain HTTP at a port that speaks TLS is an error, no answer of a slot", async () => {
    await withSecureServer(async (secure) => {
      const outcome = await request({ endpoint: { ...secure, protocol: "http" } }).then(
        ({ status }) => status,
        () => "error",
      );
      expect(outcome === "error" || outcome === 400).toBe(true);
    });
  });
});
