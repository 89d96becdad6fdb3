import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { turnPods } from "./bad-releases.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { startPrometheus } from "./prometheus.ts";
import { isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

const ratePerSecond = 60;
let project: ModelProject;

/** Where the ingress controller of the local cluster shows what it counts. */
function metricsHost(): string {
  const url = new URL(process.env.MODELSWITCH_TEST_INGRESS_URL ?? "");
  // Two thousand above the port of the traffic.
  return `${url.hostname}:${Number(url.port) + 2000}`;
}

async function configured(rollout: object, more: object = {}): Promise<void> {
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 600, ...rollout },
    ...more,
  });
  await project.result(["up"]);
}

const gate = (metrics: unknown) => ({
  name: "clients",
  every: 5,
  phases: ["shift"],
  traffic: { metrics },
});

/** Makes a release fail every third request as soon as clients get to it. Its readiness goes on to be fine: only clients notice. */
async function releaseThatTurns(slot: "blue" | "green", image: string) {
  return await project.command(["release", "--json", "--set", `image=${image}`], {
    onStart: (child) => {
      let isTurned = false;
      child.stdout?.on("data", (text: string) => {
        if (isTurned || !/"id":"prove-shift"[^\n]*"state":"done"/.test(text)) return;
        isTurned = true;
        void turnPods(project, slot, "third");
      });
    },
  });
}

beforeEach(async () => {
  project = await ModelProject.create("traffic");
});

afterEach(async () => {
  await project.remove();
});

describe("clients' requests, as the ingress controller counts them", () => {
  test("a good release goes on once it is shown to be as good as live; one with more errors is sent back", async () => {
    await configured({ steps: "50%:1s", gates: [gate([`http://${metricsHost()}/metrics`])] });
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

      const bad = await releaseThatTurns("blue", testImages.blue);
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

  test("with nothing configured but steps they are found; plan says what will be seen, and a bad release is sent back", async () => {
    await configured({ steps: "50%:3m" });
    const stop = new AbortController();
    const load = project.startQuickLoad(ratePerSecond, stop.signal);
    try {
      const planned = await project.result(["plan"]);
      expect(planned.traffic).toMatchObject({
        compared: true,
        by: "Traefik (provider kubernetesIngressNGINX)",
        where: metricsHost(),
        steps: [{ weight: 50, seconds: 180 }],
      });
      const bad = await releaseThatTurns("green", testImages.green);
      expect(bad.exitCode, bad.stdout).toBe(3);
      expect(bad.stdout).toMatch(/"name":"traffic"[^\n]*"verdict":"fail"[^\n]*more errors than live/);
      expect(await versionAt(project.host)).toBe("1");
    } finally {
      stop.abort();
      await load.stop();
    }
  });

  test.runIf(isSoak)("as a real Prometheus has them", async () => {
    const prometheus = await startPrometheus([metricsHost()]);
    const stop = new AbortController();
    try {
      const metrics = { prometheus: { url: prometheus.url } };
      await configured({ steps: "50%:1s", gates: [gate("prometheus")] }, { metrics });
      const load = project.startQuickLoad(ratePerSecond, stop.signal);
      const good = await project.command(["release", "--json", "--set", `image=${testImages.green}`]);
      expect(good.exitCode, good.stdout).toBe(0);
      expect(good.stdout).toMatch(/"name":"clients"[^\n]*"verdict":"pass"[^\n]*"where":"Prometheus at /);
      stop.abort();
      const { failed } = await load.stop();
      expect(failed).toBe(0);
    } finally {
      stop.abort();
      await prometheus.stop();
    }
  });
});
