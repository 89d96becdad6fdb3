import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { killSession } from "./kill-session.ts";
import { isRunning } from "./lock.ts";

/** A leader that has put a child into a process group of its own, as Pulumi does with its plug-ins. */
const leaderScript = "set -m; sleep 300 & echo $!; wait";

async function firstLine(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("no output");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return Number(line);
}

async function untilGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 100 && (await isRunning(pid)); i++) await new Promise((go) => setTimeout(go, 50));
  return !(await isRunning(pid));
}

test.runIf(process.platform === "linux")("ends what has left the group, but not the session", async () => {
  const leader = spawn("/bin/sh", ["-c", leaderScript], { detached: true });
  const plugin = await firstLine(leader);
  leader.kill("SIGKILL");
  expect(await isRunning(plugin)).toBe(true);
  killSession(leader.pid ?? 0);
  expect(await untilGone(plugin)).toBe(true);
});

test.runIf(process.platform === "linux")("a process that is killed takes such a session along", async () => {
  const script = `
    import { spawn } from "node:child_process";
    import { endWithUs } from ${JSON.stringify(new URL("./end-with-us.ts", import.meta.url).href)};
    const guard = endWithUs();
    const leader = spawn("/bin/sh", ["-c", ${JSON.stringify(leaderScript)}], { detached: true, stdio: ["ignore", "inherit", "ignore"] });
    guard.guard(leader.pid);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const plugin = await firstLine(parent);
  // The guard has to know of the leader first.
  await new Promise((go) => setTimeout(go, 200));
  parent.kill("SIGKILL");
  expect(await untilGone(plugin)).toBe(true);
});
