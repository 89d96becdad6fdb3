import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  isLeftBehind,
  locksInError,
  type Processes,
  readLocks,
  removeHalfWrittenLocks,
  type StackLock,
  thisMachine,
} from "./locks.ts";

const refusal = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///home/ada/.pulumi/locks/organization/fraud/dev/8c1.json?no_tmp_dir=true: created by ada@laptop (pid 4711) at 2026-11-23T07:29:37Z
  s3://models/.pulumi/locks/organization/fraud/dev/9d2.json: created by CORP\\bob@build-7 (pid 12) at 2026-11-23T08:29:37+01:00
`;

const lock: StackLock = {
  url: "file:///x.json",
  username: "ada",
  hostname: "laptop",
  pid: 4711,
  since: Date.parse("2026-11-23T07:29:37Z"),
};

function machine(startedAt: ReturnType<Processes["startedAt"]>, hostname = "laptop"): Processes {
  return { hostname, place: undefined, startedAt: () => startedAt };
}

describe("locks of a stack", () => {
  test("are read from the CLI's refusal", () => {
    expect(locksInError(refusal)).toEqual([
      { ...lock, url: "file:///home/ada/.pulumi/locks/organization/fraud/dev/8c1.json?no_tmp_dir=true" },
      {
        url: "s3://models/.pulumi/locks/organization/fraud/dev/9d2.json",
        username: "CORP\\bob",
        hostname: "build-7",
        pid: 12,
        since: Date.parse("2026-11-23T07:29:37Z"),
      },
    ]);
  });

  test("are not seen in other errors", () => {
    expect(locksInError("error: no stack named 'dev' found")).toBeUndefined();
  });

  test.each([
    ["its process is gone", machine(undefined), true],
    ["its process runs", machine(lock.since - 2_000), false],
    ["its process runs, since a time that can't be told", machine("unknown"), false],
    ["its process number is used by a later process", machine(lock.since + 60_000), true],
    ["it was taken on another machine", machine(undefined, "build-7"), false],
  ])("are left behind or not: %s", (_case, processes, expected) => {
    expect(isLeftBehind(lock, processes)).toBe(expected);
  });

  test("this machine knows when its processes started", () => {
    const startedAt = thisMachine.startedAt(process.pid);
    if (startedAt === "unknown" || startedAt === undefined) {
      expect(process.platform === "linux" ? startedAt : "unknown").toBe("unknown");
    } else {
      expect(Math.abs(startedAt - (Date.now() - process.uptime() * 1000))).toBeLessThan(5_000);
    }
    expect(thisMachine.startedAt(2 ** 22 + 7)).toBeUndefined();
  });
});

test("locks that were never written to their end are removed, those that are being written and whole ones stay", async () => {
  const state = await mkdtemp(join(tmpdir(), "modelswitch-locks-"));
  const folder = join(state, ".pulumi", "locks", "organization", "fraud", "dev");
  const put = (file: string, text: string) => writeFile(join(folder, file), text);
  try {
    await mkdir(folder, { recursive: true });
    const whole = { pid: 1, username: "ada", hostname: "laptop", timestamp: "2026-11-23T07:29:37Z" };
    await put("whole.json", JSON.stringify(whole));
    await put("whole.json.attrs", "");
    await put("full-disk.json.18eb2bdc.tmp", "");
    await put("power-cut.json", '{"pid":4711,"user');
    await put("power-cut.json.attrs", "");
    await put("in-writing.json", "");
    const sleep = () => put("in-writing.json", JSON.stringify({ ...whole, pid: 2 }));
    expect(await removeHalfWrittenLocks(state, "fraud", "dev", sleep)).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(["in-writing.json", "whole.json", "whole.json.attrs"]);
    expect((await readLocks(state, "fraud", "dev")).map(({ pid }) => pid).sort()).toEqual([1, 2]);
    expect(await removeHalfWrittenLocks(state, "nothing", "there", sleep)).toBe(0);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});
