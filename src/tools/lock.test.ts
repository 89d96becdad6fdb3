import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type LockOptions, withLock } from "./lock.ts";

let path = "";

beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), "lock-")), "etcd.lock");
});

const options = (more: Partial<LockOptions> = {}): LockOptions => ({
  signal: new AbortController().signal,
  what: "etcd v3.7.3",
  onWait: () => {},
  pollMs: 5,
  ...more,
});

const filesLeft = () => readdir(join(path, ".."));

test("holds a file that names this process, and removes it", async () => {
  const held = await withLock(path, options(), async () => JSON.parse(await readFile(path, "utf8")));
  expect(held).toMatchObject({ pid: process.pid, host: hostname() });
  expect(await filesLeft()).toEqual([]);
});

test("removes it also after a failure", async () => {
  await expect(withLock(path, options(), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await filesLeft()).toEqual([]);
});

test("never two at once", async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 12 }, () =>
      withLock(path, options(), async () => {
        inside += 1;
        most = Math.max(most, inside);
        await readFile("/proc/self/stat").catch(() => undefined);
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(await filesLeft()).toEqual([]);
});

test("the lock of a process that died is taken over", async () => {
  const child = spawn("true");
  await once(child, "exit");
  await writeFile(path, JSON.stringify({ pid: child.pid, host: hostname(), token: "dead" }));
  expect(await withLock(path, options(), async () => "done")).toBe("done");
});

test("a later process with the same pid is not the holder", async () => {
  const holder = { pid: process.pid, started: "1", host: hostname(), token: "dead" };
  await writeFile(path, JSON.stringify(holder));
  expect(await withLock(path, options(), async () => "done")).toBe("done");
});

test("a lock that can't be read is taken over", async () => {
  await writeFile(path, "");
  expect(await withLock(path, options(), async () => "done")).toBe("done");
});

test("the lock of another machine holds while it is touched", async () => {
  await writeFile(path, JSON.stringify({ pid: 1, host: "elsewhere", token: "other" }));
  const waits: number[] = [];
  const locked = withLock(path, options({ onWait: ({ pid }) => waits.push(pid) }), async () => "done");
  await expect.poll(() => waits.length).toBeGreaterThan(2);
  const old = new Date(Date.now() - 3_600_000);
  await utimes(path, old, old);
  expect(await locked).toBe("done");
});

test("waiting for a live process says who, and ends on the signal", async () => {
  const child = spawn("sleep", ["60"]);
  try {
    await writeFile(path, JSON.stringify({ pid: child.pid, host: hostname(), token: "live" }));
    const controller = new AbortController();
    const locked = withLock(
      path,
      options({
        signal: controller.signal,
        onWait: ({ pid }) => {
          expect(pid).toBe(child.pid);
          controller.abort();
        },
      }),
      async () => "done",
    );
    await expect(locked).rejects.toMatchObject({ code: "interrupted" });
    await access(path);
    expect(await filesLeft()).toEqual(["etcd.lock"]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("waiting has a deadline", async () => {
  await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname(), token: "live" }));
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  await expect(
    withLock(path, options({ clock, deadlineMs: 60_000, pollMs: 10_000 }), async () => "done"),
  ).rejects.toMatchObject({
    code: "tool-locked",
    message: `Another modelswitch (pid ${process.pid}) has been obtaining etcd v3.7.3 for more than 1 minutes.`,
  });
});
