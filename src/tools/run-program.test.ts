import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning } from "./lock.ts";
import { requireSuccess, runProgram } from "./run-program.ts";

const shell = (script: string, options: Parameters<typeof runProgram>[2] = {}) =>
  runProgram("/bin/sh", ["-c", script], options);

test("returns output and exit code, and hands out lines of both streams", async () => {
  const lines: string[] = [];
  const result = await shell("echo one; echo two >&2; printf three; exit 3", {
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  });
  expect(result).toMatchObject({ stdout: "one\nthree", stderr: "two\n", exitCode: 3, exitSignal: null });
  expect(lines.sort()).toEqual(["stderr two", "stdout one", "stdout three"]);
  expect(() => requireSuccess(result, "Counting")).toThrow("Counting: sh exited with 3:\ntwo");
});

test("writes the input, and does not mind a program that ignores it", async () => {
  expect((await runProgram("cat", [], { stdin: "hello" })).stdout).toBe("hello");
  expect((await runProgram("true", [], { stdin: "x".repeat(1_000_000) })).exitCode).toBe(0);
});

test("a missing program is an error for the user", async () => {
  await expect(runProgram("/nowhere/etcd", [])).rejects.toMatchObject({
    code: "program-missing",
    message: "The program /nowhere/etcd was not found.",
  });
});

test("aborting ends the whole process group, also what ignores the polite signal", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-program-"));
  const controller = new AbortController();
  const running = shell(`sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 0.05; done' & wait`, {
    cwd: folder,
    signal: controller.signal,
    killAfterMs: 100,
  });
  const pid = await expect
    .poll(() => readFile(join(folder, "child"), "utf8").catch(() => ""))
    .toMatch(/\d+\n/)
    .then(() => readFile(join(folder, "child"), "utf8"));
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  await expect.poll(() => isRunning(Number(pid))).toBe(false);
});

test("a process that ends at once takes along what it runs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-program-"));
  const module = new URL("./run-program.ts", import.meta.url).href;
  const script = `
    const { runProgram } = await import(${JSON.stringify(module)});
    void runProgram("/bin/sh", ["-c", "sleep 60 & echo $! > child; wait"], { cwd: ${JSON.stringify(folder)} });
    const { existsSync, readFileSync } = await import("node:fs");
    const path = ${JSON.stringify(join(folder, "child"))};
    setInterval(() => { if (existsSync(path) && readFileSync(path, "utf8").endsWith("\\n")) process.exit(3); }, 10);
  `;
  const result = await runProgram(process.execPath, ["--input-type=module", "-e", script]);
  expect(result.exitCode).toBe(3);
  const pid = Number(await readFile(join(folder, "child"), "utf8"));
  await expect.poll(() => isRunning(pid)).toBe(false);
});

test("a deadline ends the program", async () => {
  await expect(shell("sleep 60", { timeoutMs: 50 })).rejects.toMatchObject({
    code: "program-timeout",
    message: "sh did not end within 0.05 s and was stopped.",
  });
});

test("does not wait for what the program left running in the background", async () => {
  const result = await shell("sleep 20 & echo $!");
  process.kill(Number(result.stdout), "SIGKILL");
  expect(result.exitCode).toBe(0);
});

test("an aborted signal starts nothing", async () => {
  await expect(shell("echo x", { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "interrupted",
  });
});
