import { describe, expect, test } from "vitest";
import { torchserve } from "./torchserve.ts";

describe("torchserve", () => {
  test("has the ports of the official image, but not the management API's", () => {
    const server = torchserve();
    expect(server.httpPort).toBe(8080);
    expect(server.otherPorts).toEqual({ metrics: 8082, grpc: 7070 });
    expect(server.readiness.path).toBe("/ping");
    expect(server.metrics).toEqual({ port: 8082, path: "/metrics" });
    expect(server.protocol).toBe("torchserve");
  });

  test("serves on for the longest request, since SIGTERM loses it or is not passed on", () => {
    const server = torchserve({ longestRequestSeconds: 20 });
    expect(server.preStopSleepSeconds).toBe(25);
    expect(server.terminationGracePeriodSeconds).toBe(30);
  });

  test("can't tell versions apart by itself", () => {
    expect(torchserve().identity).toBeUndefined();
    const identity = { path: "/predictions/fraud", from: { kind: "header", name: "x-version" } } as const;
    expect(torchserve({ identity }).identity).toEqual(identity);
  });

  test("refuses two servers on one port", () => {
    expect(() => torchserve({ metricsPort: 8080 })).toThrow(/port "metrics" is 8080, but must be another/);
  });
});
