import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ToolContext } from "../../../../src/support.ts";
import { withOwnListsIfNeeded } from "./apt.ts";

let folder = "";

/** An apt-get without package lists, whose update works once the file `online` is there. */
const fakeApt = (root: string) => `#!/bin/sh
echo "$@" >> ${root}/calls
case "$*" in
  *update*) [ -e ${root}/online ] && touch ${root}/lists || exit 100;;
  *--simulate*) [ -e ${root}/lists ] && echo "Inst etcd (1 Debian:12 [amd64])" || exit 100;;
esac
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "apt-"));
  await writeFile(join(folder, "apt-get"), fakeApt(folder), { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const resolveWithLists = () => {
  const context: ToolContext = {
    cacheFolder: join(folder, "cache"),
    platform: { os: "linux", cpu: "x64" },
    env: { PATH: `${folder}:${process.env.PATH}` },
    signal: new AbortController().signal,
    progress: () => {},
  };
  return withOwnListsIfNeeded(context, (apt) => apt.resolve(["etcd"]));
};

test("lists of our own are fetched again after an update that failed, and not after one that worked", async () => {
  const updates = async () =>
    (await readFile(join(folder, "calls"), "utf8")).split("\n").filter((line) => line.endsWith(" update"))
      .length;
  await expect(resolveWithLists()).rejects.toMatchObject({ code: "program-failed" });
  await writeFile(join(folder, "online"), "");
  expect(await resolveWithLists()).toEqual([{ name: "etcd", version: "1" }]);
  expect(await updates()).toBe(2);
  await rm(join(folder, "lists"));
  await expect(resolveWithLists()).rejects.toMatchObject({ code: "program-failed" });
  expect(await updates()).toBe(2);
});
