import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { QuickPulumiCommand } from "./pulumi-command.ts";

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-pulumi-"));
  program = join(folder, "pulumi");
  // Stands for a CLI whose backend never answers.
  await writeFile(program, "#!/bin/sh\nexec sleep 600\n");
  await chmod(program, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const commandWith = (more: { readonly timeoutMs?: number; readonly signal?: AbortSignal }) =>
  new QuickPulumiCommand({
    ...{ program, version: "3.0.0", env: { PATH: process.env.PATH } },
    signal: more.signal ?? new AbortController().signal,
    ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
  });

test("a CLI that never ends is ended at its deadline, and named with what it did", async () => {
  const running = commandWith({ timeoutMs: 300 }).start(["stack", "export", "--stack", "dev"], {
    cwd: folder,
  });
  await expect(running).rejects.toMatchObject({
    code: "program-timeout",
    message: "`pulumi stack export` did not end within 0.3 s and was stopped.",
  });
});

test("one that is stopped by the signal is not late", async () => {
  const stop = new AbortController();
  const running = commandWith({ signal: stop.signal }).start(["up"], { cwd: folder });
  setTimeout(() => stop.abort(), 200);
  await expect(running).rejects.toMatchObject({ name: "PulumiCommandError" });
});
