import { describe, expect, test } from "vitest";
import { readIdentity } from "../../core/identity.ts";
import { mlserver } from "./mlserver.ts";

describe("mlserver", () => {
  test("has the ports, health paths and keep-alive of MLServer 1.x", () => {
    const server = mlserver({ modelName: "fraud" });
    expect(server.httpPort).toBe(8080);
    expect(server.otherPorts).toEqual({ grpc: 8081, metrics: 8082 });
    expect(server.readiness.path).toBe("/v2/health/ready");
    expect(server.liveness?.path).toBe("/v2/health/live");
    expect(server.keepAliveSeconds).toBe(5);
    expect(server.metrics).toEqual({ port: 8082, path: "/metrics" });
    expect(server.draining?.gauges).toEqual(["rest_server_requests_in_progress"]);
    expect(server.protocol).toBe("open-inference");
  });

  test("recognises a slot by the first version in the model's metadata", () => {
    const { identity } = mlserver({ modelName: "fraud model" });
    if (identity === undefined) throw new Error("no identity");
    expect(identity.path).toBe("/v2/models/fraud%20model");
    const body = JSON.stringify({ name: "fraud", versions: ["1.5"], platform: "", inputs: [], outputs: [] });
    expect(readIdentity(identity, { status: 200, headers: {}, body })).toBe("1.5");
    const without = JSON.stringify({ name: "fraud", versions: [], platform: "" });
    expect(readIdentity(identity, { status: 200, headers: {}, body: without })).toBeUndefined();
  });

  test("serves on for the longest request before it is told to end, since it drops requests on SIGTERM", () => {
    const server = mlserver({ modelName: "fraud", longestRequestSeconds: 60 });
    expect(server.preStopSleepSeconds).toBeGreaterThan(60);
    expect(server.terminationGracePeriodSeconds).toBeGreaterThan(server.preStopSleepSeconds + 10);
  });

  test("tells MLServer the ports it was given", () => {
    const server = mlserver({
      modelName: "m",
      httpPort: 9000,
      grpcPort: 9001,
      metricsPort: 9002,
      parallelWorkers: 0,
    });
    expect(server.env).toEqual({
      MLSERVER_HTTP_PORT: "9000",
      MLSERVER_GRPC_PORT: "9001",
      MLSERVER_METRICS_PORT: "9002",
      MLSERVER_PARALLEL_WORKERS: "0",
    });
  });

  test.each([
    [{ modelName: "" }, /modelName is "", but must be the name of the model/],
    [{ modelName: "m", grpcPort: 8080 }, /port "grpc" is 8080, but must be another port than that of "http"/],
    [{ modelName: "m", parallelWorkers: -1 }, /parallelWorkers is -1/],
    [{ modelName: "m", longestRequestSeconds: 1.5 }, /longestRequestSeconds is 1.5/],
  ])("refuses %j", (options, message) => {
    expect(() => mlserver(options)).toThrow(message);
  });
});
