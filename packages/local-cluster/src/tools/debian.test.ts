import { lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mergeUsr } from "./debian.ts";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "debian-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("what packages have outside /usr is found below it, as on a system", async () => {
  for (const folder of ["bin", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "etc"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await writeFile(join(root, "bin/ip"), "ip", { mode: 0o755 });
  await writeFile(join(root, "lib/x86_64-linux-gnu/libcap.so.2.66"), "cap");
  await symlink("libcap.so.2.66", join(root, "lib/x86_64-linux-gnu/libcap.so.2"));
  await writeFile(join(root, "usr/lib/x86_64-linux-gnu/libbpf.so.1"), "bpf");
  await mergeUsr(root);
  expect((await lstat(join(root, "usr/bin/ip"))).mode & 0o111).not.toBe(0);
  expect(await readlink(join(root, "usr/lib/x86_64-linux-gnu/libcap.so.2"))).toBe("libcap.so.2.66");
  expect(await readFile(join(root, "usr/lib/x86_64-linux-gnu/libcap.so.2"), "utf8")).toBe("cap");
  expect(await readFile(join(root, "usr/lib/x86_64-linux-gnu/libbpf.so.1"), "utf8")).toBe("bpf");
  await expect(lstat(join(root, "bin"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(lstat(join(root, "lib"))).rejects.toMatchObject({ code: "ENOENT" });
});
