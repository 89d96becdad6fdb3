import { describe, expect, test } from "vitest";
import { fastapi } from "./fastapi.ts";
import { identityIn } from "./identity.fixture.ts";

describe("fastapi", () => {
  test("tells uvicorn where to listen, how long to keep idle connections and to wait for requests", () => {
    const server = fastapi({ port: 8080, longestRequestSeconds: 60 });
    expect(server.httpPort).toBe(8080);
    expect(server.env).toEqual({
      UVICORN_HOST: "0.0.0.0",
      UVICORN_PORT: "8080",
      UVICORN_TIMEOUT_KEEP_ALIVE: "120",
      UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN: "60",
    });
    expect(server.keepAliveSeconds).toBe(120);
    expect(server.preStopSleepSeconds).toBe(5);
    expect(server.terminationGracePeriodSeconds).toBe(70);
  });

  test("the user's environment wins", () => {
    expect(fastapi({ env: { UVICORN_TIMEOUT_KEEP_ALIVE: "300" } }).env.UVICORN_TIMEOUT_KEEP_ALIVE).toBe(
      "300",
    );
  });

  test("recognises a slot by the application's version", () => {
    expect(identityIn(fastapi(), { openapi: "3.1.0", info: { title: "fraud", version: "1.5" } })).toBe("1.5");
  });

  test("probes the document that every application has, or what it is told", () => {
    expect(fastapi().readiness.path).toBe("/openapi.json");
    expect(fastapi({ readinessPath: "/ready" }).liveness?.path).toBe("/ready");
    const server = fastapi({ readinessPath: "/ready", livenessPath: false });
    expect(server.liveness).toBeUndefined();
    expect(server.startup).toBeUndefined();
  });

  test("knows metrics that it is told of", () => {
    expect(fastapi().metrics).toBeUndefined();
    const server = fastapi({ metricsPath: "/metrics", inProgressGauge: "requests_in_progress" });
    expect(server.metrics).toEqual({ port: 8000, path: "/metrics" });
    expect(server.draining).toEqual({ gauges: ["requests_in_progress"] });
  });

  test.each([
    [{ inProgressGauge: "in_progress" }, /draining .* must be given together with metrics/],
    [{ metricsPath: "metrics" }, /metrics path is "metrics", but must be an absolute path/],
    [{ metricsPath: "/metrics", inProgressGauge: "in progress" }, /draining gauge is "in progress"/],
    [{ readinessPath: "ready" }, /readiness path is "ready"/],
  ])("refuses %j", (options, message) => {
    expect(() => fastapi(options)).toThrow(message);
  });
});
