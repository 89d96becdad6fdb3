import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hasEnded, type ProcessTable, processTable, thisProcess } from "./this-process.ts";

const place = { boot: "b1", namespace: "pid:[1]" };
const table = (started: string | undefined, at: ProcessTable["place"] | null = place): ProcessTable => ({
  place: at ?? undefined,
  startedAt: () => started,
});
const holder = { pid: 7, ...place, started: "100" };

describe("whether a process is known to have ended", () => {
  test.each<[string, Parameters<typeof hasEnded>[0], ProcessTable, boolean]>([
    ["it is not there", holder, table(undefined), true],
    ["it runs", holder, table("100"), false],
    ["its number was given to another", holder, table("200"), true],
    ["it runs, and when it began cannot be told", holder, table("unknown"), false],
    ["its start was not recorded", { ...holder, started: undefined }, table("200"), false],
    ["of another boot nothing is known", holder, table(undefined, { ...place, boot: "b2" }), false],
    ["nor of another container", holder, table(undefined, { ...place, namespace: "pid:[2]" }), false],
    ["nor where the system does not say", holder, table(undefined, null), false],
    ["nor of what version 0.2 wrote", { pid: 7 }, table(undefined), false],
  ])("%s", (_, about, processes, expected) => {
    expect(hasEnded(about, processes)).toBe(expected);
  });
});

test("this process lives; a child that was killed has ended", async () => {
  const own = thisProcess(processTable);
  expect(hasEnded(own, processTable)).toBe(false);
  if (processTable.place === undefined) return;
  const child = spawn("sleep", ["60"]);
  const about = { ...own, pid: child.pid ?? 0, started: processTable.startedAt(child.pid ?? 0) };
  expect(hasEnded(about, processTable)).toBe(false);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  expect(hasEnded(about, processTable)).toBe(true);
});
