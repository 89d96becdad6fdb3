import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event } from "../core/events.ts";
import { RunRecord, releaseLeftBehind } from "./left-behind.ts";
import type { Processes, StackLock } from "./locks.ts";
import { processTable } from "./this-process.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "left-behind-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const before = Date.now() - 60_000;

function lockOf(pid: number): StackLock {
  const file = join(folder, `lock-${pid}.json`);
  writeFileSync(file, "{}");
  return {
    url: `${pathToFileURL(file).href}?no_tmp_dir=true`,
    username: "ada",
    hostname: "here",
    pid,
    since: Date.now(),
  };
}

function running(...pids: number[]): Processes {
  return {
    hostname: "here",
    place: processTable.place,
    startedAt: (pid) => (pids.includes(pid) ? before : undefined),
  };
}

async function release(locks: readonly StackLock[], processes: Processes, isFileBackend = true) {
  const events: Event[] = [];
  const calls: string[] = [];
  const isFree = await releaseLeftBehind(locks, {
    events: (event) => events.push(event),
    signal: new AbortController().signal,
    isFileBackend,
    record: new RunRecord(folder, "dev"),
    cancel: async () => calls.push("cancel"),
    processes,
  });
  return { isFree, events, calls, files: readdirSync(folder) };
}

describe("clearing what a killed run left behind", () => {
  test("removes the lock file of a process that is gone, and says so", async () => {
    const { isFree, events, files } = await release([lockOf(41)], running());
    expect(isFree).toBe(true);
    expect(files).toEqual([]);
    expect(events).toMatchObject([{ type: "info", message: expect.stringContaining("process 41") }]);
  });

  test("touches nothing while one of the locks is a live run's", async () => {
    const { isFree, files } = await release([lockOf(41), lockOf(42)], running(42));
    expect(isFree).toBe(false);
    expect(files).toHaveLength(2);
  });

  test("asks the CLI where the backend is no folder", async () => {
    const lock = { ...lockOf(41), url: "s3://models/.pulumi/locks/organization/fraud/dev/8c.json" };
    const { isFree, calls } = await release([lock], running(), false);
    expect(isFree).toBe(true);
    expect(calls).toEqual(["cancel"]);
  });

  test("a run of another container with the same host name is alive, whatever its number means here", async () => {
    const record = new RunRecord(folder, "dev");
    record.note(41);
    record.note(42);
    const elsewhere = (...pids: number[]) => ({ ...running(...pids), place: { boot: "b", namespace: "n" } });
    expect((await release([lockOf(41)], elsewhere())).isFree).toBe(false);
    expect((await release([lockOf(42)], elsewhere(42))).isFree).toBe(false);
    expect(record.isOrphan(42, elsewhere(42))).toBe(false);
    expect(record.leftBehind(elsewhere())).toEqual([]);
  });

  test("never frees a stack whose locks it could not read", async () => {
    expect((await release([], running())).isFree).toBe(false);
  });
});

describe("the record of a run", () => {
  test("tells the CLI of a killed command from one whose command runs", () => {
    new RunRecord(folder, "dev").note(77);
    const record = new RunRecord(folder, "dev");
    expect(record.isOrphan(77, running(77))).toBe(true);
    expect(record.isOrphan(77, running(77, process.pid))).toBe(false);
    expect(record.isOrphan(78, running())).toBe(false);
  });

  test("is gone when the CLI has ended, and leaves those of others", () => {
    const mine = new RunRecord(folder, "dev");
    new RunRecord(folder, "dev").note(78);
    mine.note(77);
    mine.note(undefined);
    expect(readdirSync(folder)).toEqual(["dev.run-78.json"]);
  });
});
