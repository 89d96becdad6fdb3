import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { modelswitch, resultOf, run } from "./cli-process.ts";

/** A second cluster, beside the one of the other tests. */
const clusterName = `${process.env.MODELSWITCH_TEST_CLUSTER ?? "test"}-demo`;
const folders: string[] = [];

afterAll(async () => {
  await modelswitch(["cluster", "down", "--name", clusterName]);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

test("the demo switches two scikit-learn models in MLServer without a failed request", {
  timeout: 1_800_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-demo-mlserver-"));
  folders.push(folder);
  const args = ["run", "demo", "--", "--json", "--cluster", clusterName, "--folder", folder];
  const result = await run("npm", args, { timeoutMs: 1_800_000 });
  expect(result.exitCode, result.stdout + result.stderr).toBe(0);
  const { load, switches } = resultOf(result.stdout) as {
    load: { failed: number; versions: Record<string, { answers: number }> };
    switches: { from: string; to: string }[];
  };
  expect(load.failed).toBe(0);
  expect(Object.keys(load.versions).sort()).toEqual(["v1", "v2"]);
  expect(switches.map(({ to }) => to)).toEqual(["green", "blue", "green"]);

  const { clusters } = resultOf((await modelswitch(["cluster", "list", "--json"])).stdout) as {
    clusters: { name: string; state: string }[];
  };
  const running = clusters.filter(({ state }) => state === "running").map(({ name }) => name);
  expect(running).toEqual(expect.arrayContaining([clusterName, process.env.MODELSWITCH_TEST_CLUSTER]));
});
