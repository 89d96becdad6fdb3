import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelswitch, repository, resultOf, run } from "./cli-process.ts";

const clusterName = process.env.MODELSWITCH_TEST_CLUSTER ?? "";
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-demo-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const words = (...more: string[]) => [
  join(repository, "demo", "main.ts"),
  "--fast",
  "--json",
  ...["--cluster", clusterName, "--folder", folder, "--steady", "1", "--rate", "30"],
  ...more,
];

/** Nobody needs a passphrase: the state is in the cluster. */
const asUser = () => ({ PULUMI_CONFIG_PASSPHRASE: undefined });

test("stopped in the middle of a switch, the demo says what is left, and traffic is on a proved slot", async () => {
  const result = await run(process.execPath, words(), {
    timeoutMs: 600_000,
    onStart: (child) => {
      let seen = "";
      const onText = (text: string) => {
        seen += text;
        if (!seen.includes('"id":"switch-1/write-shift"')) return;
        child.stdout?.off("data", onText);
        child.kill("SIGINT");
      };
      child.stdout?.on("data", onText);
    },
  });
  expect(result.exitCode, result.stdout).toBe(130);
  const { error } = resultOf(result.stdout) as { error: { code: string; hint: string } };
  expect(error.code).toBe("interrupted");
  expect(error.hint).toContain(`modelswitch cluster down --name ${clusterName}`);
  const status = await modelswitch(["status", "--json", "-C", join(folder, ".modelswitch", "demo-fast")], {
    env: asUser(),
  });
  expect(resultOf(status.stdout)).toMatchObject({ slots: { blue: { ready: true }, green: { ready: true } } });
}, 700_000);

test("run again, it goes on, switches three times without a failed request, and reports", async () => {
  const result = await run(process.execPath, words(), { timeoutMs: 600_000 });
  expect(result.exitCode, result.stdout + result.stderr).toBe(0);
  const report = resultOf(result.stdout) as {
    load: { failed: number; versions: Record<string, { answers: number }> };
    switches: { from: string; to: string; probes: number; movedAtMs?: number }[];
    files: { report: string; page: string };
  };
  expect(report.load.failed).toBe(0);
  expect(Object.keys(report.load.versions)).toEqual(["1", "2"]);
  expect(report.switches.map(({ from, to }) => [from, to])).toEqual([
    ["blue", "green"],
    ["green", "blue"],
    ["blue", "green"],
  ]);
  for (const one of report.switches) {
    expect(one.probes).toBeGreaterThan(0);
    expect(one.movedAtMs).toBeDefined();
  }
  expect(JSON.parse(await readFile(report.files.report, "utf8"))).toMatchObject({ schemaVersion: 1 });
  expect(await readFile(report.files.page, "utf8")).toContain('<h1 class="passed">0 failed');

  const back = await modelswitch(
    ["switch", "blue", "--json", "-C", join(folder, ".modelswitch", "demo-fast")],
    {
      env: asUser(),
    },
  );
  expect(resultOf(back.stdout)).toMatchObject({ type: "result", exitCode: 0, from: "green", target: "blue" });
}, 700_000);
