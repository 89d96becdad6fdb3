import { describe, expect, test } from "vitest";
import { custom } from "./custom.ts";

describe("custom", () => {
  test("needs nothing said", () => {
    const server = custom();
    expect(server.httpPort).toBe(8080);
    expect(server.readiness.path).toBe("/");
    expect(server.liveness).toBeUndefined();
    expect(server.startup).toBeUndefined();
    expect(server.identity).toBeUndefined();
  });

  test("gives a liveness probe the time that loading the model may take", () => {
    const { startup } = custom({ livenessPath: "/live", startupSeconds: 1200 });
    if (startup === undefined) throw new Error("no startup probe");
    expect(startup.path).toBe("/live");
    expect(startup.periodSeconds * startup.failureThreshold).toBeGreaterThanOrEqual(1200);
  });

  test("leaves time for the longest request after the sleep", () => {
    const server = custom({ preStopSleepSeconds: 5, longestRequestSeconds: 120 });
    expect(server.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(125);
  });

  test("without HTTP it is recognised by a method, and nothing can be said of paths", () => {
    const grpcOnly = { method: "a.B/C", from: { kind: "field", path: "2" } } as const;
    expect(custom({ grpcOnly })).toMatchObject({ http: false, identity: { path: "/a.B/C", grpc: grpcOnly } });
    expect(() => custom({ grpcOnly, readinessPath: "/ready" })).toThrow("readinessPath is");
    expect(() => custom({ grpcOnly, otherPorts: { grpc: 9000 } })).toThrow(
      "grpc is the port that requests go to",
    );
    expect(() => custom({ grpcOnly: { ...grpcOnly, method: "/C" } })).toThrow("identity gRPC method");
  });

  test("without HTTP a restart is asked for by a service of the health service, once the model may have loaded", () => {
    const grpcOnly = { method: "a.B/C", from: { kind: "field", path: "2" } } as const;
    expect(custom({ grpcOnly })).toMatchObject({ liveness: undefined, startup: undefined });
    const server = custom({ grpcOnly, readinessService: "ready", livenessService: "", startupSeconds: 60 });
    expect(server).toMatchObject({
      readiness: { service: "ready" },
      liveness: { service: "", periodSeconds: 10, failureThreshold: 3 },
      startup: { service: "", periodSeconds: 5, failureThreshold: 12 },
    });
    expect(() => custom({ livenessService: "live" })).toThrow(
      'livenessService is "live", but must be left out without grpcOnly: over HTTP it is livenessPath',
    );
  });

  test("takes metrics and evidence of draining", () => {
    const metrics = { port: 9090, path: "/metrics" };
    const draining = { gauges: ["requests_in_progress"] };
    const server = custom({ otherPorts: { metrics: 9090 }, metrics, draining, protocol: "openai" });
    expect(server).toMatchObject({ metrics, draining, protocol: "openai" });
    expect(custom().protocol).toBe("custom");
  });

  test.each([
    [
      { metrics: { port: 9090, path: "/metrics" } },
      /metrics port is 9090, but must be one of the container's ports \(8080\)/,
    ],
    [{ metrics: { port: 8080, path: "/metrics" }, draining: { gauges: [] } }, /at least one name/],
    [{ port: 0 }, /port "http" is 0, but must be a whole number from 1 to 65535/],
    [{ port: 8080, otherPorts: { metrics: 8080 } }, /another port than that of "http"/],
    [{ otherPorts: { http: 9090 } }, /http/],
    [{ otherPorts: { "Not a name": 9090 } }, /lower-case letters/],
    [{ readinessPath: "ready" }, /readiness path is "ready", but must be an absolute path/],
    [{ livenessPath: "live" }, /liveness path is "live"/],
    [{ identity: { path: "/", from: { kind: "header", name: "x y" } } } as const, /identity header/],
    [{ identity: { path: "/", from: { kind: "json", path: "a..b" } } } as const, /identity JSON path/],
    [
      { preStopSleepSeconds: 20, terminationGracePeriodSeconds: 20 },
      /terminationGracePeriodSeconds is 20, but must be at least 21: the pod sleeps for preStopSleepSeconds \(20\)/,
    ],
  ])("refuses %j", (options, message) => {
    expect(() => custom(options)).toThrow(message);
  });
});
