import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failuresOf, ModelProject } from "./model-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

const ratePerSecond = 40;

let project: ModelProject;

/** The configuration with a rollback window in seconds. */
async function keepOldSlotFor(rollbackWindow: number): Promise<void> {
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    rollout: {
      settle: 1,
      soak: 1,
      drain: 3,
      rollbackWindow,
      warmUp: {
        path: "/v2/models/demo/infer",
        body: { inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] },
      },
    },
  });
}

beforeEach(async () => {
  project = await ModelProject.create("release");
  await keepOldSlotFor(0);
  await project.result(["up"]);
});

afterEach(async () => {
  await project.remove();
});

const imageOf = (version: string) => (version === "1" ? testImages.blue : testImages.green);

describe("releases on a real cluster", () => {
  test("a release that cannot start is taken back, and clients notice nothing", async () => {
    const stop = new AbortController();
    const load = project.startLoad(ratePerSecond, stop.signal);
    try {
      const { exitCode, stdout } = await project.command([
        "release",
        "--json",
        "--set",
        "image=localhost/no-such-image:1",
      ]);
      expect(exitCode).toBe(1);
      expect(stdout).toContain("release-failed");
      expect(stdout).toContain("imagePullPolicy is Never");
      const report = await load.stop();
      expect(report.failed, failuresOf(report)).toBe(0);
      expect(Object.keys(report.versions)).toEqual(["1"]);
      expect(await project.result(["status"])).toMatchObject({ live: "blue", rollout: null });
      expect(await project.result(["history"])).toMatchObject({ rollouts: [{ outcome: "aborted" }] });
    } finally {
      stop.abort();
    }
  });

  test("paused in the middle by somebody else, aborted, and nothing is left of it", async () => {
    const running = project.command([
      "release",
      "--json",
      "--set",
      `image=${imageOf("2")}`,
      "--steps",
      "25%:10m",
    ]);
    await until("a quarter of the traffic goes to green", async () => {
      const { split } = (await project.result(["status"])) as { split: { green: number } };
      return split.green === 25;
    });
    expect(await project.result(["pause"])).toMatchObject({ ended: expect.stringMatching(/heard|paused/) });
    expect(await project.result(["abort"])).toMatchObject({ release: 2 });
    await running;
    await until("it is taken back", async () => {
      const { rollout } = await project.result(["status"]);
      return rollout === null;
    });
    expect(await versionAt(project.host)).toBe("1");
    expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
  });
});
