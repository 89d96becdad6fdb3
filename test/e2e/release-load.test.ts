import { afterEach, describe, expect, test } from "vitest";
import type { LoadRun } from "../../demo/load.ts";
import type { ModelProject } from "./model-project.ts";
import { configureReleases, imageOf, releasedProject } from "./release-project.ts";
import { isSoak } from "./soak.ts";
import { SocketLoad } from "./socket-load.ts";
import { versionAt } from "./test-cluster.ts";

/** `npm run test:soak` does the same five times. */
const cycles = isSoak ? 5 : 1;
const ratePerSecond = 40;
const streamSeconds = 6;
const longStreamSeconds = 60;

interface Round {
  readonly what: string;
  readonly kind: "release" | "rollback";
  /** Environment of the new release: how its server behaves. */
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: string;
  readonly rollbackWindow?: number;
  /** Streams and WebSockets of a minute go on meanwhile, and are drained. */
  readonly longStreams?: true;
}

/** Ten releases and rollbacks, which begin and end with version 1 live. */
const rounds: readonly Round[] = [
  { what: "in steps", kind: "release" },
  { what: "to a slot that was emptied", kind: "rollback" },
  { what: "slow to start", kind: "release", env: { START_DELAY_MS: "4000" }, rollbackWindow: 600 },
  { what: "to a slot that is warm", kind: "rollback" },
  {
    what: "ready before it is warm",
    kind: "release",
    env: { COLD_REQUESTS: "8", COLD_MS: "300" },
  },
  { what: "of a server that ends abruptly", kind: "release", env: { GRACEFUL: "false" } },
  { what: "in one jump, away from a server that ends abruptly", kind: "release", steps: "100%" },
  {
    what: "of a server that ends abruptly, kept warm",
    kind: "release",
    env: { GRACEFUL: "false" },
    rollbackWindow: 600,
  },
  { what: "away from a server that ends abruptly", kind: "rollback" },
  {
    what: "in many small steps, under streams and WebSockets of a minute",
    kind: "release",
    steps: "5%, 10%, 50%:1s, 95%",
    longStreams: true,
  },
];

let project: ModelProject;

function startLongStreams(signal: AbortSignal): LoadRun {
  return project.startMixedLoad({
    ratePerSecond: 1,
    streamSeconds: longStreamSeconds,
    streamEvery: 1,
    signal,
  });
}

function startSockets(signal: AbortSignal): SocketLoad {
  return new SocketLoad({
    url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
    host: project.host,
    versions: ["1", "2"],
    everyMs: 1000,
    seconds: longStreamSeconds,
    signal,
  });
}

afterEach(async () => {
  await project.remove();
});

describe("releases under quick requests, five-second requests, streams and WebSockets", () => {
  test(`${rounds.length * cycles} releases and rollbacks in a row, every phase: no request fails`, {
    timeout: cycles * 900_000,
  }, async () => {
    const longestRequestSeconds = longStreamSeconds + 2;
    project = await releasedProject("many", { streamSeconds, longestRequestSeconds });
    const stop = new AbortController();
    const load = project.startMixedLoad({ ratePerSecond, streamSeconds, signal: stop.signal });
    try {
      let version = "1";
      const ended: unknown[] = [];
      for (const round of Array.from({ length: cycles }, () => rounds).flat()) {
        const { kind, env = {}, steps, rollbackWindow = 0, longStreams } = round;
        version = version === "1" ? "2" : "1";
        await configureReleases(project, {
          streamSeconds,
          longestRequestSeconds,
          rollbackWindow,
          ...(longStreams === undefined ? {} : { drain: longestRequestSeconds }),
          ...(steps === undefined ? {} : { steps }),
        });
        const settings = Object.entries(env).map(([key, value]) => `env.${key}=${value}`);
        const ofRound = new AbortController();
        const streams = longStreams && startLongStreams(AbortSignal.any([stop.signal, ofRound.signal]));
        const sockets = longStreams && startSockets(AbortSignal.any([stop.signal, ofRound.signal]));
        const before = load.snapshot();
        const args = [`image=${imageOf(version)}`, ...settings].flatMap((setting) => ["--set", setting]);
        const result = await project.result([kind, ...(kind === "release" ? args : [])]);
        expect(result, round.what).toMatchObject({
          ended: rollbackWindow > 0 ? "live" : "finished",
          ...(rollbackWindow > 0 ? {} : { outcome: "released" }),
        });
        expect(await versionAt(project.host), round.what).toBe(version);
        ended.push(expect.objectContaining({ kind, release: result.release, outcome: "released" }));
        if (streams !== undefined && sockets !== undefined) {
          // Those that the old slot had have come to their end: it was drained.
          const report = streams.snapshot();
          const { whole, failures } = sockets.snapshot();
          ofRound.abort();
          const old = version === "1" ? "2" : "1";
          expect(report.failed, project.explain(report)).toBe(0);
          expect(Object.keys(report.versions)).toContain(old);
          expect(failures).toEqual([]);
          expect(Object.keys(whole)).toContain(old);
        }
        // The load went on through this very round, and nobody noticed it.
        const after = load.snapshot();
        expect(after.succeeded).toBeGreaterThan(before.succeeded);
        expect(after.failed, `${round.what}: ${project.explain(after)}`).toBe(0);
      }
      const report = await load.stop();
      expect(report.failed, project.explain(report)).toBe(0);
      expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
      // Five-second requests and longer streams were under way all the time.
      expect(report.latency.p99).toBeGreaterThan(4900);
      // The record keeps the last fifty.
      const { rollouts } = await project.result(["history"]);
      expect(rollouts).toEqual(ended.slice(-50));
    } finally {
      stop.abort();
    }
  });
});
