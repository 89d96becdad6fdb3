import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/support.ts";
import { type LockOptions, lockCluster } from "./lock.ts";

const folder = () => `/test/${process.pid}/${Math.random()}`;

const options = (more: Partial<LockOptions> = {}): LockOptions => ({
  doing: "cluster up",
  clock: systemClock,
  signal: new AbortController().signal,
  onWait: () => undefined,
  ...more,
});

describe.runIf(process.platform === "linux")("lockCluster", () => {
  it("lets the second wait, tells it who holds the lock, and then in", async () => {
    const path = folder();
    const first = await lockCluster(path, options());
    const holders: string[] = [];
    const second = lockCluster(path, options({ onWait: (holder) => holders.push(holder) }));
    await expect.poll(() => holders.length).toBe(1);
    expect(holders[0]).toContain(`pid ${process.pid}`);
    expect(holders[0]).toContain("cluster up");
    first.release();
    (await second).release();
  });

  it("gives up at the deadline and says who is in the way", async () => {
    const path = folder();
    const first = await lockCluster(path, options({ doing: "cluster down" }));
    await expect(lockCluster(path, options({ deadlineMs: 0 }))).rejects.toMatchObject({
      code: "cluster-locked",
      exitCode: 4,
      message: expect.stringContaining("cluster down"),
    });
    first.release();
  });

  it("waits for a holder that is stopped, and gives up at the deadline", async () => {
    const path = folder();
    const script = `require("net").createServer().listen("\\0modelswitch-cluster:${path}", () => console.log("listening"))`;
    const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(holder.stdout, "data");
      holder.kill("SIGSTOP");
      const holders: string[] = [];
      const waiting = lockCluster(path, options({ deadlineMs: 0, onWait: (one) => holders.push(one) }));
      await expect(waiting).rejects.toMatchObject({ code: "cluster-locked" });
      expect(holders).toEqual(["a command that does not answer"]);
    } finally {
      holder.kill("SIGKILL");
    }
  });

  it("also works for folders with long paths, and keeps them apart", async () => {
    const long = `${folder()}/${"long".repeat(40)}`;
    const [one, other] = await Promise.all([
      lockCluster(`${long}/a`, options()),
      lockCluster(`${long}/b`, options()),
    ]);
    await expect(lockCluster(`${long}/a`, options({ deadlineMs: 0 }))).rejects.toMatchObject({
      code: "cluster-locked",
    });
    one.release();
    other.release();
  });

  it("keeps clusters apart", async () => {
    const [one, other] = await Promise.all([
      lockCluster(folder(), options()),
      lockCluster(folder(), options()),
    ]);
    one.release();
    other.release();
  });
});
