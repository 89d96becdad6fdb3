import { describe, expect, test } from "vitest";
import { identityIn } from "./identity.fixture.ts";
import { triton } from "./triton.ts";

describe("triton", () => {
  test("has Triton's ports, health paths and metrics", () => {
    const server = triton({ modelName: "fraud" });
    expect(server.httpPort).toBe(8000);
    expect(server.otherPorts).toEqual({ grpc: 8001, metrics: 8002 });
    expect(server.readiness.path).toBe("/v2/health/ready");
    expect(server.liveness?.path).toBe("/v2/health/live");
    expect(server.metrics).toEqual({ port: 8002, path: "/metrics" });
    expect(server.protocol).toBe("open-inference");
  });

  test("recognises a slot by the model's version", () => {
    const server = triton({ modelName: "fraud" });
    expect(identityIn(server, { name: "fraud", versions: ["5"], platform: "onnxruntime_onnx" })).toBe("5");
  });

  test("needs no sleep for requests that --exit-timeout-secs covers", () => {
    const server = triton({ modelName: "fraud", longestRequestSeconds: 30 });
    expect(server.preStopSleepSeconds).toBe(5);
    // Idle connections of the ingress controller let it wait for the whole time.
    expect(server.terminationGracePeriodSeconds).toBeGreaterThan(5 + 30);
    expect(
      triton({ modelName: "fraud", longestRequestSeconds: 300, exitTimeoutSeconds: 300 }).preStopSleepSeconds,
    ).toBe(5);
  });

  test("serves on for what --exit-timeout-secs does not cover", () => {
    expect(triton({ modelName: "fraud", longestRequestSeconds: 90 }).preStopSleepSeconds).toBe(65);
  });

  test("has no evidence of draining: the queue's gauge leaves out what is being executed", () => {
    expect(triton({ modelName: "fraud" }).draining).toBeUndefined();
  });

  test.each([
    [{ modelName: "" }, /modelName is "", but must be the name of the model in the model repository/],
    [{ modelName: "m", grpcPort: 8000 }, /port "grpc" is 8000, but must be another port/],
    [{ modelName: "m", exitTimeoutSeconds: -1 }, /exitTimeoutSeconds is -1/],
    [{ modelName: "m", longestRequestSeconds: 1.5 }, /longestRequestSeconds is 1.5/],
  ])("refuses %j", (options, message) => {
    expect(() => triton(options)).toThrow(message);
  });
});
