import { afterEach, expect, test } from "vitest";
import { turnPods } from "./bad-releases.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";
import { traefikOfFile } from "./traefik-of-file.ts";

/** A verdict on copies of clients' requests, before any client gets to a release. */

const ratePerSecond = 60;

const traefik = traefikOfFile();
let project: ModelProject;

afterEach(async () => {
  await project?.remove();
});

async function configured(gate: object): Promise<void> {
  project = await ModelProject.create("shadow");
  project.ingressUrl = traefik.url;
  await project.configure({
    slots: undefined,
    router: "traefik",
    ingress: { host: project.host, endpoints: [traefik.url] },
    release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" },
    rollout: { settle: 1, shadow: 20, soak: 1, drain: 2, rollbackWindow: 600, gates: [gate] },
  });
  await project.result(["up"]);
}

const copies = { name: "copies", every: 2, shadow: { metrics: [] as string[], latency: false } };
const counted = () => ({ ...copies, shadow: { ...copies.shadow, metrics: [traefik.metricsUrl] } });

test("a release that fails on copies is sent back, and no client has noticed", {
  timeout: 400_000,
}, async () => {
  await configured(counted());
  const stop = new AbortController();
  const load = project.startQuickLoad(ratePerSecond, stop.signal, ["1"]);
  try {
    const bad = await project.command(["release", "--json", "--set", `image=${testImages.green}`], {
      onStart: (child) => {
        let isTurned = false;
        child.stdout?.on("data", (text: string) => {
          if (isTurned || !/"id":"prove-mirror"[^\n]*"state":"done"/.test(text)) return;
          isTurned = true;
          void turnPods(project, "green", "third");
        });
      },
    });
    expect(bad.exitCode, bad.stdout).toBe(3);
    expect(bad.stdout).toMatch(/"name":"copies"[^\n]*"verdict":"fail"[^\n]*more errors than live/);
    expect(await versionAt(project.host, {}, traefik.url)).toBe("1");
    const seen = await load.stop();
    expect(seen.failed, failuresOf(seen)).toBe(0);
    expect(Object.keys(seen.versions)).toEqual(["1"]);
  } finally {
    stop.abort();
  }
});

test("a gate whose copies nobody counts is refused by plan and release", { timeout: 200_000 }, async () => {
  await configured({ ...copies, shadow: { metrics: ["http://127.0.0.1:9/metrics"] } });
  for (const command of [["plan"], ["release", "--set", `image=${testImages.green}`]]) {
    const { exitCode, stdout, stderr } = await project.command(command);
    expect(exitCode, stdout + stderr).toBe(2);
    expect(stdout + stderr).toContain("The gate copies compares copies of clients' requests");
  }
});

test.runIf(isSoak)(
  "a good release goes live once its copies are shown to be answered well",
  {
    timeout: 600_000,
  },
  async () => {
    await configured(counted());
    const stop = new AbortController();
    const load = project.startQuickLoad(ratePerSecond, stop.signal, ["1", "2"]);
    try {
      const good = await project.command(["release", "--json", "--set", `image=${testImages.green}`]);
      expect(good.exitCode, good.stdout).toBe(0);
      expect(good.stdout).toMatch(/"name":"copies"[^\n]*"verdict":"pass"/);
      const seen = await load.stop();
      expect(seen.failed, failuresOf(seen)).toBe(0);
    } finally {
      stop.abort();
    }
  },
);
