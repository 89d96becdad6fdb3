import { describe, expect, test } from "vitest";
import { identityIn } from "./identity.fixture.ts";
import { vllm } from "./vllm.ts";

/** As /v1/models answers with --served-model-name fraud fraud-1.5. */
const models = {
  object: "list",
  data: [
    { id: "fraud", object: "model", owned_by: "vllm", root: "/models/fraud-1.5", max_model_len: 4096 },
    { id: "fraud-1.5", object: "model", owned_by: "vllm", root: "/models/fraud-1.5", max_model_len: 4096 },
  ],
};

describe("vllm", () => {
  test("has the port, paths and gauges of its OpenAI server", () => {
    const server = vllm();
    expect(server.httpPort).toBe(8000);
    expect(server.readiness.path).toBe("/health");
    expect(server.metrics).toEqual({ port: 8000, path: "/metrics" });
    expect(server.draining?.gauges).toEqual(["vllm:num_requests_running", "vllm:num_requests_waiting"]);
    expect(server.protocol).toBe("openai");
  });

  test("keeps idle connections longer than ingress controllers do", () => {
    const server = vllm();
    expect(server.keepAliveSeconds).toBeGreaterThan(90);
    expect(server.env).toEqual({ VLLM_HTTP_TIMEOUT_KEEP_ALIVE: String(server.keepAliveSeconds) });
  });

  test("recognises a slot by the model that it loaded, or by a second name", () => {
    expect(identityIn(vllm(), models)).toBe("/models/fraud-1.5");
    const byName = vllm({ identity: { path: "/v1/models", from: { kind: "json", path: "data.1.id" } } });
    expect(identityIn(byName, models)).toBe("fraud-1.5");
  });

  test("serves on for the longest answer, unless --shutdown-timeout lets it finish", () => {
    expect(vllm().preStopSleepSeconds).toBe(125);
    const draining = vllm({ longestRequestSeconds: 300, shutdownTimeoutSeconds: 300 });
    expect(draining.preStopSleepSeconds).toBe(5);
    expect(draining.terminationGracePeriodSeconds).toBeGreaterThan(305);
  });

  test("gives a large model half an hour to load", () => {
    const { startup } = vllm();
    if (startup === undefined) throw new Error("no startup probe");
    expect(startup.periodSeconds * startup.failureThreshold).toBeGreaterThanOrEqual(1800);
  });

  test.each([
    [{ port: 0 }, /port "http" is 0/],
    [{ shutdownTimeoutSeconds: 0.5 }, /shutdownTimeoutSeconds is 0.5/],
  ])("refuses %j", (options, message) => {
    expect(() => vllm(options)).toThrow(message);
  });
});
