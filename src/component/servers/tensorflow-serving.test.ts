import { describe, expect, test } from "vitest";
import { identityIn } from "./identity.fixture.ts";
import { tensorflowServing } from "./tensorflow-serving.ts";

describe("tensorflowServing", () => {
  test("has the ports of the official image, and tells it the model's name", () => {
    const server = tensorflowServing({ modelName: "fraud" });
    expect(server.httpPort).toBe(8501);
    expect(server.otherPorts).toEqual({ grpc: 8500 });
    expect(server.env).toEqual({ MODEL_NAME: "fraud" });
    expect(server.protocol).toBe("tensorflow");
  });

  test("is ready once a version is loaded", () => {
    expect(tensorflowServing({ modelName: "fraud" }).readiness.path).toBe("/v1/models/fraud/metadata");
    expect(tensorflowServing({ modelName: "fraud" }).liveness?.path).toBe("/v1/models/fraud");
  });

  test("recognises a slot by the number of the loaded version", () => {
    const status = { error_code: "OK", error_message: "" };
    expect(
      identityIn(tensorflowServing({ modelName: "fraud" }), {
        model_version_status: [{ version: "1004", state: "AVAILABLE", status }],
      }),
    ).toBe("1004");
  });

  test("serves on for the longest request and is not waited for after that: it ignores SIGTERM", () => {
    const server = tensorflowServing({ modelName: "fraud", longestRequestSeconds: 60 });
    expect(server.preStopSleepSeconds).toBe(65);
    expect(server.terminationGracePeriodSeconds).toBe(67);
  });

  test("has metrics only where a monitoring configuration switches them on", () => {
    expect(tensorflowServing({ modelName: "fraud" }).metrics).toBeUndefined();
    expect(tensorflowServing({ modelName: "fraud", metrics: true }).metrics).toEqual({
      port: 8501,
      path: "/monitoring/prometheus/metrics",
    });
  });

  test.each([
    [{ modelName: " " }, /modelName is " ", but must be the name of the model/],
    [{ modelName: "m", grpcPort: 8501 }, /port "grpc" is 8501/],
  ])("refuses %j", (options, message) => {
    expect(() => tensorflowServing(options)).toThrow(message);
  });
});
