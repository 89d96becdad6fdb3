import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { turnPods } from "./bad-releases.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { testImages, versionAt } from "./test-cluster.ts";

const ratePerSecond = 60;
let project: ModelProject;

/** Where the ingress controller of the local cluster shows what it counts. */
function metricsAddress(): string {
  const url = new URL(process.env.MODELSWITCH_TEST_INGRESS_URL ?? "");
  // Two thousand above the port of the traffic.
  return `http://${url.hostname}:${Number(url.port) + 2000}/metrics`;
}

beforeEach(async () => {
  project = await ModelProject.create("traffic");
  const gate = {
    name: "clients",
    every: 5,
    phases: ["shift"],
    traffic: { metrics: [metricsAddress()] },
  };
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 600, steps: "50%:1s", gates: [gate] },
  });
  await project.result(["up"]);
});

afterEach(async () => {
  await project.remove();
});

describe("clients' requests, as the ingress controller counts them", () => {
  test("a good release goes on once it is shown to be as good as live; one with more errors is sent back", async () => {
    const stop = new AbortController();
    const load = project.startQuickLoad(ratePerSecond, stop.signal);
    try {
      const good = await project.command(["release", "--json", "--set", `image=${testImages.green}`]);
      expect(good.exitCode, good.stdout).toBe(0);
      expect(good.stdout).toMatch(/"name":"clients"[^\n]*"verdict":"pass"/);
      expect(await versionAt(project.host)).toBe("2");
      const quiet = load.snapshot();
      expect(quiet.failed, failuresOf(quiet)).toBe(0);

      expect(await project.result(["status", "--observe", "2"])).toMatchObject({
        split: { blue: 0, green: 100 },
        observed: { kind: "observed", split: { blue: 0, green: 100 } },
      });

      // Its readiness goes on to be fine: only clients notice.
      const bad = await project.command(["release", "--json", "--set", `image=${testImages.blue}`], {
        onStart: (child) => {
          let isTurned = false;
          child.stdout?.on("data", (text: string) => {
            if (isTurned || !/"id":"prove-shift"[^\n]*"state":"done"/.test(text)) return;
            isTurned = true;
            void turnPods(project, "blue", "third");
          });
        },
      });
      expect(bad.exitCode, bad.stdout).toBe(3);
      expect(bad.stdout).toContain("more errors than live");
      expect(await versionAt(project.host)).toBe("2");
      // The report has the counts that this rests on, and both slots' shares with their bounds.
      const report = await project.result(["report"]);
      expect(report).toMatchObject({
        reason: expect.stringContaining("clients"),
        verdicts: expect.arrayContaining([
          expect.objectContaining({
            gate: "clients",
            verdict: "fail",
            estimates: expect.arrayContaining([
              expect.objectContaining({
                name: "errors",
                new: expect.objectContaining({ low: expect.any(Number) }),
              }),
            ]),
          }),
        ]),
      });
    } finally {
      stop.abort();
      await load.stop();
    }
  });
});
