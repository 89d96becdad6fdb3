import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/support.ts";
import {
  type ComponentSpec,
  lastLogLines,
  logPath,
  readComponent,
  requireRunning,
  runningAsSpecified,
  startComponent,
  stopProcesses,
  wayOut,
} from "./processes.ts";
import { clusterFolders } from "./state-folder.ts";

const state = mkdtempSync(join(tmpdir(), "modelswitch-processes-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));
const folders = clusterFolders(state, "unit");

const spec = (script: string): ComponentSpec => ({
  name: "etcd",
  program: "/bin/sh",
  arguments: ["-c", script],
  env: { PATH: process.env.PATH ?? "" },
  configuration: [],
});

describe.runIf(process.platform === "linux")("components", () => {
  it("are recorded, write a private log, and are recognised until they end", async () => {
    const sleeper = spec("echo started; exec sleep 60");
    const joined: number[] = [];
    const record = await startComponent(folders, sleeper, (pid) => joined.push(pid));
    expect(joined).toEqual([record.pid]);
    expect(readComponent(folders, "etcd")).toEqual(record);
    expect(runningAsSpecified(folders, sleeper)).toEqual(record);
    expect(runningAsSpecified(folders, spec("something else"))).toBeUndefined();
    await expect.poll(() => lastLogLines(logPath(folders, "etcd"), 5)).toEqual(["started"]);
    expect(statSync(logPath(folders, "etcd")).mode & 0o077).toBe(0);
    requireRunning(folders, "etcd");
    await stopProcesses([record], systemClock, { politeMs: 1_000 });
    expect(runningAsSpecified(folders, sleeper)).toBeUndefined();
  });

  it("that end by themselves are reported with the end of their log of this run", async () => {
    // It may have ended before it is recorded, or after.
    const startAndAsk = async () => {
      const failing = spec("echo first; echo the reason; exit 1");
      await startComponent(folders, failing, () => {});
      for (;;) {
        requireRunning(folders, "etcd");
        await systemClock.sleep(10);
      }
    };
    await expect(startAndAsk()).rejects.toThrow("etcd of the local cluster has stopped: the reason");
  });

  it("that can't be started are reported by name", async () => {
    const missing = { ...spec(""), program: join(state, "missing") };
    await expect(startComponent(folders, missing, () => {})).rejects.toMatchObject({
      code: "component-not-started",
      message: expect.stringContaining("etcd"),
    });
  });
});

describe("lastLogLines", () => {
  it("reads the end of a file, however long", () => {
    const path = join(state, "long.log");
    writeFileSync(path, `${"x".repeat(200_000)}\none\n\ntwo\n`);
    expect(lastLogLines(path, 2)).toEqual(["one", "two"]);
    expect(lastLogLines(join(state, "absent.log"), 2)).toEqual([]);
  });
});

describe("wayOut", () => {
  it("names the setting of the kernel that a component ran into", () => {
    const line = 'kubelet.go:1804] "Failed to start cAdvisor" err="inotify_init: too many open files"';
    expect(wayOut(["starting", line])).toContain("sysctl fs.inotify.max_user_instances");
    expect(wayOut(["starting"])).not.toContain("sysctl");
  });
});
