import { afterAll, beforeAll, expect, test } from "vitest";
import { failuresOf, ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

let project: ModelProject;
const stop = new AbortController();

beforeAll(async () => {
  project = await ModelProject.create("https");
});

afterAll(async () => {
  stop.abort();
  await project.remove();
});

interface StepEvent {
  readonly type?: string;
  readonly id?: string;
  readonly state?: string;
  readonly detail?: string;
}

test("pods that take nothing but TLS, with a certificate that nobody signed, are probed, warmed up, switched and drained", async () => {
  await project.configure(
    {
      slots: undefined,
      release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
      ingress: { host: project.host, protocol: "https" },
      rollout: {
        steps: "50%:1s",
        settle: 1,
        soak: 1,
        drain: 10,
        rollbackWindow: 600,
        warmUp: {
          path: "/v2/models/demo/infer",
          body: { inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] },
        },
      },
    },
    {
      env: { TLS: "true" },
      livenessPath: "/v2/health/live",
      metrics: { port: 8080, path: "/metrics" },
      draining: { gauges: ["test_server_requests_in_progress"] },
    },
  );
  expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
  const load = project.startLoad(20, stop.signal);

  const { exitCode, stdout } = await project.command([
    "release",
    "--set",
    `image=${testImages.green}`,
    "--json",
  ]);
  expect(exitCode, stdout).toBe(0);
  const steps = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as StepEvent);
  const done = (id: string) => steps.find((event) => event.id === id && event.state === "done")?.detail;
  expect(done("warm-up-green")).toMatch(/fraud-green-\S+: \d+ to \d+ ms/);
  expect(done("drain-blue")).toMatch(/^in-progress gauge of 2 pods: 0/);

  expect(await project.result(["switch", "blue"])).toMatchObject({ target: "blue" });
  const report = await load.stop();
  expect(report.failed, failuresOf(report)).toBe(0);
  expect(Object.keys(report.versions).toSorted()).toEqual(["1", "2"]);
});
