import { describe, expect, test } from "vitest";
import {
  type PresetServer,
  presetNamed,
  presetNames,
  presetServer,
  withoutIdentity,
} from "./preset-server.ts";
import { propagationSeconds, shutdownTimes } from "./shared.ts";

describe("shutdownTimes", () => {
  test("a server that drops requests on SIGTERM serves on for the longest one before it", () => {
    expect(
      shutdownTimes({ longestRequestSeconds: 60, finishesForSeconds: 0, endsWithinSeconds: 10 }),
    ).toEqual({ preStopSleepSeconds: 65, terminationGracePeriodSeconds: 75 });
  });

  test("one that finishes them only has to be forgotten everywhere first", () => {
    expect(
      shutdownTimes({ longestRequestSeconds: 60, finishesForSeconds: 60, endsWithinSeconds: 10 }),
    ).toEqual({ preStopSleepSeconds: 5, terminationGracePeriodSeconds: 75 });
  });

  test("one that finishes them for a while gets the rest before SIGTERM", () => {
    expect(
      shutdownTimes({ longestRequestSeconds: 60, finishesForSeconds: 45, endsWithinSeconds: 10 }),
    ).toEqual({ preStopSleepSeconds: 20, terminationGracePeriodSeconds: 75 });
  });

  test("whatever the server does, a request that begins before the news has spread can end before SIGKILL", () => {
    for (const longestRequestSeconds of [0, 1, 30, 300]) {
      for (const finishesForSeconds of [0, 10, 30, 600]) {
        const times = shutdownTimes({ longestRequestSeconds, finishesForSeconds, endsWithinSeconds: 5 });
        const end = propagationSeconds + longestRequestSeconds;
        expect(end).toBeLessThanOrEqual(times.preStopSleepSeconds + finishesForSeconds);
        expect(end).toBeLessThan(times.terminationGracePeriodSeconds);
      }
    }
  });
});

describe("a preset by name", () => {
  const servers = presetNames.map((name) => [name, presetNamed(name, "fraud model")] as const);

  test.each(servers)("%s names itself, and all that can be known of it", (name, server) => {
    expect(server.name).toBe(name);
    expect(server.protocol).toBeDefined();
    expect(server.terminationGracePeriodSeconds).toBeGreaterThan(server.preStopSleepSeconds);
    // Gauges are of use only where the metrics can be read.
    if (server.draining !== undefined) expect(server.metrics).toBeDefined();
    expect(server.identity === undefined).toBe(withoutIdentity.includes(name));
  });

  test.each(servers)("%s gives the model 10 minutes or more to load", (_name, { startup }) => {
    if (startup === undefined) throw new Error("no startup probe");
    expect(startup.periodSeconds * startup.failureThreshold).toBeGreaterThanOrEqual(600);
  });

  test("the model's name is in the paths, encoded", () => {
    const path = (name: (typeof presetNames)[number]) => presetNamed(name, "fraud model").identity?.path;
    expect(path("mlserver")).toBe("/v2/models/fraud%20model");
    expect(path("triton")).toBe("/v2/models/fraud%20model");
    expect(path("tensorflow-serving")).toBe("/v1/models/fraud%20model");
  });
});

describe("an option that a preset does not know", () => {
  // As a configuration file has it, whose types nobody checks.
  const misspelt = (name: string): Record<string, unknown> => ({ [name]: 1 });

  test("is refused, and the nearest one is named", () => {
    for (const preset of [...presetNames, "custom"] as const) {
      const options = { preset, ...misspelt("longestRequestSecond") } as PresetServer;
      expect(() => presetServer(options, "fraud")).toThrow(
        /has no option "longestRequestSecond"; did you mean "longestRequestSeconds"\?/,
      );
    }
  });
});
