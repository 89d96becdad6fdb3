import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { isLoopback, type LoadOptions, startLoad } from "./load.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, index: number) => void;

const servers: Server[] = [];

async function serve(handler: Handler): Promise<{ url: string; sockets: () => number }> {
  let index = 0;
  let sockets = 0;
  const server = createServer((request, response) => {
    request.resume();
    handler(request, response, index++);
  });
  server.on("connection", () => {
    sockets += 1;
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets: () => sockets };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function answer(version: string): string {
  return JSON.stringify({
    model_name: "m",
    model_version: version,
    outputs: [{ name: "predict", shape: [2, 1], datatype: "INT64", data: [0, 1] }],
  });
}

function load(url: string, extra: Partial<LoadOptions> = {}) {
  return startLoad({
    url,
    host: "model.example.com",
    path: "/v2/models/m/infer",
    body: "{}",
    ratePerSecond: 200,
    signal: new AbortController().signal,
    ...extra,
  });
}

describe("startLoad", () => {
  test("sends at the rate asked for, on kept and fresh connections, and tells versions apart", async () => {
    const hosts = new Set<string | undefined>();
    const { url, sockets } = await serve((request, response, index) => {
      hosts.add(request.headers.host);
      response.end(answer(index < 50 ? "1" : "2"));
    });
    const run = load(url);
    await pause(1000);
    const report = await run.stop();
    expect(report.failed).toBe(0);
    expect(report.requests).toBeGreaterThan(150);
    expect(report.requests).toBeLessThanOrEqual(1 + Math.ceil(report.durationMs / 5));
    expect(report.versions["1"]?.answers).toBe(50);
    expect(report.versions["2"]?.answers).toBe(report.requests - 50);
    expect([...hosts]).toEqual(["model.example.com"]);
    expect(report.freshConnections).toBe(Math.floor(report.requests / 10));
    // Every fresh request opened a connection of its own; the others shared theirs.
    expect(sockets()).toBeGreaterThanOrEqual(report.freshConnections);
    expect(sockets()).toBeLessThan(report.requests);
  });

  test("measures from the intended time: a server that stalls is seen by all who had to wait", async () => {
    let stalledUntil = 0;
    const { url } = await serve((_request, response, index) => {
      if (index === 20) stalledUntil = Date.now() + 400;
      setTimeout(() => response.end(answer("1")), Math.max(0, stalledUntil - Date.now()));
    });
    const run = load(url);
    await pause(900);
    const report = await run.stop();
    expect(report.failed).toBe(0);
    // 400 ms of stall at 200/s: about 80 requests waited, not one.
    expect(report.latency.p95).toBeGreaterThan(200);
    expect(report.latency.maximum).toBeGreaterThan(380);
  });

  test("counts every kind of failure", async () => {
    const { url } = await serve((request, response, index) => {
      switch (index % 5) {
        case 0:
          response.statusCode = 503;
          response.end("no endpoints");
          return;
        case 1:
          request.socket.destroy();
          return;
        case 2:
          response.end("<html>an error page with status 200</html>");
          return;
        case 3:
          response.end(answer("from another model"));
          return;
        case 4:
          return; // never answers
      }
    });
    const run = load(url, { versions: ["1", "2"], timeoutMs: 300 });
    await pause(500);
    const report = await run.stop();
    expect(report.succeeded).toBe(0);
    expect(report.failed).toBe(report.requests);
    expect(Object.keys(report.failuresByKind).sort()).toEqual([
      "connection",
      "invalid-answer",
      "status",
      "timeout",
    ]);
    expect(report.failures.find((failure) => failure.kind === "status")?.reason).toBe("503 no endpoints");
    expect(report.failures.length).toBeLessThanOrEqual(50);
    const inTimeline = report.timeline.buckets.reduce((sum, bucket) => sum + bucket.failed, 0);
    expect(inTimeline).toBe(report.failed);
  });

  test("counts an answer that breaks off as a failure", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"model_name":');
      setTimeout(() => response.destroy(), 10);
    });
    const run = load(url);
    await pause(200);
    const report = await run.stop();
    expect(report.succeeded).toBe(0);
    expect(Object.keys(report.failuresByKind)).toEqual(["connection"]);
  });

  test("bounds what is in flight, and says so", async () => {
    const { url } = await serve(() => {});
    const run = load(url, { maximumInFlight: 10, timeoutMs: 5000, signal: AbortSignal.timeout(300) });
    const report = await run.ended;
    expect(report.failuresByKind["in-flight-limit"]).toBeGreaterThan(10);
    expect(report.unfinished).toBe(10);
  });

  test("an abort ends it at once and blames nobody; stop waits for what is in flight", async () => {
    const { url } = await serve((_request, response) => setTimeout(() => response.end(answer("1")), 500));
    const silent = await serve(() => {});
    const controller = new AbortController();
    const aborted = load(silent.url, { signal: controller.signal });
    const stopped = load(url);
    await pause(200);
    controller.abort();
    const atOnce = await aborted.stop();
    expect(atOnce.failed).toBe(0);
    expect(atOnce.unfinished).toBeGreaterThan(10);
    const waited = await stopped.stop();
    expect(waited.failed).toBe(0);
    expect(waited.unfinished).toBe(0);
    expect(waited.latency.p50).toBeGreaterThan(490);
  });

  test("stops by itself", async () => {
    const { url } = await serve((_request, response) => response.end(answer("1")));
    const report = await load(url, { maximumDurationMs: 100 }).ended;
    expect(report.durationMs).toBeGreaterThanOrEqual(100);
  });

  test.each([
    { url: "http://10.0.0.1:80" },
    { url: "http://example.com" },
    { url: "https://127.0.0.1" },
    { url: "http://127.0.0.1.example.com" },
    { ratePerSecond: 100_000 },
    { ratePerSecond: Number.NaN },
    { maximumDurationMs: 1e9 },
    { maximumInFlight: 1e6 },
  ])("refuses %o", (extra) => {
    expect(() => load("http://127.0.0.1:1", extra)).toThrowError(/The load's/);
  });
});

test("isLoopback", () => {
  expect(isLoopback("http://localhost:80")).toBe(true);
  expect(isLoopback("http://127.1.2.3:80")).toBe(true);
  expect(isLoopback("http://[::1]:80")).toBe(true);
  expect(isLoopback("http://0.0.0.0:80")).toBe(false);
});
