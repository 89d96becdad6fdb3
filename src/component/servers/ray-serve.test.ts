import { describe, expect, test } from "vitest";
import { rayServe } from "./ray-serve.ts";

const identity = { path: "/version", from: { kind: "body" } } as const;

describe("rayServe", () => {
  test("lets the proxy listen beyond its own pod, and keep idle connections longer than ingress controllers do", () => {
    const server = rayServe();
    expect(server.httpPort).toBe(8000);
    expect(server.env).toEqual({
      RAY_SERVE_DEFAULT_HTTP_HOST: "0.0.0.0",
      RAY_SERVE_HTTP_KEEP_ALIVE_TIMEOUT_S: "120",
    });
    expect(server.keepAliveSeconds).toBe(120);
  });

  test("asks the application whether it is ready, where a path of it is known", () => {
    expect(rayServe().readiness.path).toBe("/-/routes");
    expect(rayServe({ identity }).readiness.path).toBe("/version");
    expect(rayServe({ identity, readinessPath: "/ready" }).readiness.path).toBe("/ready");
    expect(rayServe({ identity }).liveness?.path).toBe("/-/healthz");
  });

  test("serves on for the longest request before SIGTERM, which ends Ray at once", () => {
    const server = rayServe({ longestRequestSeconds: 40 });
    expect(server.preStopSleepSeconds).toBe(45);
  });

  test("has metrics where their port was fixed", () => {
    expect(rayServe().metrics).toBeUndefined();
    expect(rayServe().draining).toBeUndefined();
    const server = rayServe({ metricsPort: 8080 });
    expect(server.otherPorts).toEqual({ metrics: 8080 });
    expect(server.metrics).toEqual({ port: 8080, path: "/metrics" });
    expect(server.draining?.gauges).toEqual(["ray_serve_num_ongoing_http_requests"]);
  });

  test("refuses two servers on one port", () => {
    expect(() => rayServe({ metricsPort: 8000 })).toThrow(/port "metrics" is 8000, but must be another/);
  });
});
