import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/support.ts";
import {
  clusterVariable,
  identify,
  isAlive,
  isInCgroup,
  parseStat,
  processesOf,
  residentBytes,
  sessionLeaders,
} from "./process-table.ts";
import { stopProcesses } from "./processes.ts";

const stat = (state: string, threads: number) =>
  `4242 (a (strange) name) ${state} 1 4242 4241 0 -1 4194560 1 0 0 0 5 3 0 0 20 0 ${threads} 0 98765 1000 10`;

describe("parseStat", () => {
  it("finds its fields behind a name with spaces and brackets", () => {
    expect(parseStat(stat("S", 7))).toEqual({ ended: false, session: 4241, startTime: "98765" });
  });

  it("takes a program for ended only when its last thread has", () => {
    expect(parseStat(stat("Z", 3))?.ended).toBe(false);
    expect(parseStat(stat("Z", 1))?.ended).toBe(true);
  });
});

describe("isInCgroup", () => {
  const text = "4:memory:/elsewhere\n3:cpu,cpuacct:/modelswitch-a-0a1b2c3d/kubepods/pod1\n0::/\n";

  it("matches the group itself and those below it, not those whose name starts alike", () => {
    expect(isInCgroup(text, "/modelswitch-a-0a1b2c3d")).toBe(true);
    expect(isInCgroup(text, "/modelswitch-a-0a1b2c3d/kubepods/pod1")).toBe(true);
    expect(isInCgroup(text, "/modelswitch-a")).toBe(false);
  });
});

describe.runIf(process.platform === "linux")("processes", () => {
  it("are found by the environment they inherit, identified, and stopped", async () => {
    const folder = `/test/${process.pid}/${Math.random()}`;
    const child = spawn("sh", ["-c", "trap '' TERM; sleep 60 & while :; do wait; done"], {
      detached: true,
      stdio: "ignore",
      env: { PATH: process.env.PATH, [clusterVariable]: folder },
    });
    await once(child, "spawn");
    const find = () => processesOf({ clusterFolder: folder, namespaces: {}, cgroup: "/none" });
    await expect.poll(() => find().length).toBe(2);
    expect(sessionLeaders(clusterVariable, folder).map(({ pid }) => pid)).toEqual([child.pid]);

    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("it should run");
    expect(residentBytes(identity.pid)).toBeGreaterThan(0);
    // The pid now belongs to another process than the one that was recorded.
    expect(isAlive({ ...identity, startTime: "1" })).toBe(false);
    expect(isAlive({ ...identity, bootId: "another" })).toBe(false);

    // It ignores the polite signal.
    await stopProcesses(find(), systemClock, { politeMs: 100 });
    expect(isAlive(identity)).toBe(false);
    expect(find()).toEqual([]);
  });
});
