import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pauseProgram } from "./pause-program.ts";

describe("pauseProgram", () => {
  it.runIf(process.platform === "linux" && ["x64", "arm64"].includes(process.arch))(
    "runs, sleeps, and ignores the end of children",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "modelswitch-pause-"));
      try {
        const path = join(folder, "pause");
        await writeFile(path, pauseProgram(process.arch), { mode: 0o755 });
        const child = spawn(path);
        await once(child, "spawn");
        const status = async () => readFile(`/proc/${child.pid}/status`, "utf8");
        await expect.poll(async () => /State:\s+(\w)/.exec(await status())?.[1]).toBe("S");
        const ignored = BigInt(`0x${/SigIgn:\s+(\w+)/.exec(await status())?.[1]}`);
        expect(ignored & (1n << 16n)).not.toBe(0n);
        child.kill("SIGCHLD");
        child.kill("SIGWINCH");
        await expect.poll(async () => /State:\s+(\w)/.exec(await status())?.[1]).toBe("S");
        child.kill("SIGTERM");
        expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it("refuses processors it has no program for", () => {
    expect(() => pauseProgram("riscv64")).toThrow("riscv64");
  });
});
