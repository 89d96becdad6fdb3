import {
  appendFile,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { checkEntry, publishEntry } from "./entry.ts";

let base = "";
let folder = "";

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "entry-"));
  folder = join(base, "entry");
  const staging = join(base, "staging");
  await mkdir(join(staging, "bin"), { recursive: true });
  await writeFile(join(staging, "bin", "kubernetes"), "binary");
  await symlink("kubernetes", join(staging, "bin", "kubelet"));
  const layout = { version: "v1", programs: { kubelet: "bin/kubelet" } };
  await publishEntry(staging, folder, { origin: "registry", layout });
});

const reason = async () => {
  const found = await checkEntry(folder);
  return found.state === "corrupt" ? found.reason : found.state;
};

test("a published entry is valid, and lists its files and links", async () => {
  const found = await checkEntry(folder);
  expect(found).toMatchObject({
    state: "valid",
    manifest: {
      layout: { version: "v1" },
      files: [
        { path: "bin/kubelet", link: "kubernetes" },
        { path: "bin/kubernetes", size: 6 },
      ],
    },
  });
});

test("nothing there is absent", async () => {
  await rm(folder, { recursive: true });
  expect(await reason()).toBe("absent");
});

test("every kind of damage is found and named", async () => {
  const binary = join(folder, "bin", "kubernetes");
  const damages: [string, () => Promise<unknown>][] = [
    ["bin/kubernetes has 7 bytes instead of 6", () => appendFile(binary, "x")],
    ["bin/kubernetes has other contents", () => writeFile(binary, "BINARY")],
    ["bin/kubernetes is missing", () => unlink(binary)],
    [
      "bin/kubelet links to something else",
      async () => {
        await unlink(join(folder, "bin", "kubelet"));
        await symlink("/bin/true", join(folder, "bin", "kubelet"));
      },
    ],
    ["its manifest is missing", () => unlink(join(folder, "manifest.json"))],
    ["its manifest can't be read", () => writeFile(join(folder, "manifest.json"), '{"schemaVersion":')],
    ["its manifest can't be read", () => writeFile(join(folder, "manifest.json"), '{"schemaVersion":2}')],
  ];
  await cp(folder, `${folder}.whole`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  for (const [expected, damage] of damages) {
    await rm(folder, { recursive: true });
    await cp(`${folder}.whole`, folder, {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
    expect(await reason()).toBe("valid");
    await damage();
    expect(await reason()).toBe(expected);
  }
});

test("another time of change alone is no damage, and is put right", async () => {
  const binary = join(folder, "bin", "kubernetes");
  const before = (await lstat(binary)).mtimeMs;
  await utimes(binary, 1, 1);
  expect(await reason()).toBe("valid");
  expect((await lstat(binary)).mtimeMs).toBeCloseTo(before, 0);
});

test("an entry that only works in its place is not valid elsewhere", async () => {
  const staging = join(base, "bound");
  await mkdir(staging);
  await publishEntry(staging, folder, {
    origin: "registry",
    layout: { version: "v1", programs: {}, onlyIn: folder },
  });
  expect(await reason()).toBe("valid");
  await rename(folder, `${folder}-moved`);
  expect(await checkEntry(`${folder}-moved`)).toEqual({
    state: "corrupt",
    reason: `it was made for ${folder}`,
  });
});
