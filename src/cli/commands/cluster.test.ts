import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runMain } from "../../../test/unit/run-main.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-cluster-commands-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]) =>
  runMain(argv, { env: { HOME: folder, MODELSWITCH_STATE: folder }, cwd: folder });

describe("without a local cluster", () => {
  test("`list` has none, and says how to start one", async () => {
    const result = await run("cluster", "list");
    expect(result.exitCode).toBe(0);
    expect(result.stdout + result.stderr).toContain("modelswitch cluster up");
    expect(JSON.parse((await run("cluster", "list", "--json")).stdout)).toMatchObject({ clusters: [] });
  });

  test("`status` is 1", async () => {
    const result = await run("cluster", "status", "--name", "nowhere");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain("nowhere");
  });

  test("`kubectl` is 2, and names the commands that help", async () => {
    const result = await run("cluster", "kubectl", "--name", "nowhere", "--", "get", "pods", "-A");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('There is no local cluster "nowhere"');
    expect(result.stderr).toContain("modelswitch cluster list");
  });

  test("`load-image` looks for the archive first", async () => {
    const result = await run("cluster", "load-image", "missing.tar", "--json");
    expect(result.exitCode).toBe(2);
    const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe("archive-missing");
    expect(error.message).toContain(join(folder, "missing.tar"));
  });
});

test("a name that cannot be a cluster's is refused", async () => {
  const result = await run("cluster", "status", "--name", "../x", "--json");
  expect(result.exitCode).toBe(2);
  expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "cluster-name-invalid" } });
});
