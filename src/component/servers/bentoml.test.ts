import { describe, expect, test } from "vitest";
import { bentoml } from "./bentoml.ts";
import { identityIn } from "./identity.fixture.ts";

describe("bentoml", () => {
  test("has everything on one port", () => {
    const server = bentoml();
    expect(server.httpPort).toBe(3000);
    expect(server.otherPorts).toEqual({});
    expect(server.readiness.path).toBe("/readyz");
    expect(server.liveness?.path).toBe("/livez");
    expect(server.metrics).toEqual({ port: 3000, path: "/metrics" });
    expect(server.draining?.gauges).toEqual(["bentoml_service_request_in_progress"]);
  });

  test("tells BentoML the port", () => {
    expect(bentoml({ port: 8080 }).env).toEqual({ BENTOML_PORT: "8080" });
  });

  test("recognises a slot by the bento's version", () => {
    expect(
      identityIn(bentoml(), { openapi: "3.0.2", info: { title: "fraud", version: "4tht2icroji6" } }),
    ).toBe("4tht2icroji6");
  });

  test("only sleeps until it is forgotten: requests in progress finish after SIGTERM", () => {
    const server = bentoml({ longestRequestSeconds: 60 });
    expect(server.preStopSleepSeconds).toBe(5);
    expect(server.terminationGracePeriodSeconds).toBe(75);
  });

  test("keeps idle connections for 5 s, or what the command says", () => {
    expect(bentoml().keepAliveSeconds).toBe(5);
    expect(bentoml({ keepAliveSeconds: 120 }).keepAliveSeconds).toBe(120);
    expect(() => bentoml({ keepAliveSeconds: 0 })).toThrow(/keepAliveSeconds is 0/);
  });
});
