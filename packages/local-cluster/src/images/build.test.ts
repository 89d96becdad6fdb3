import { access, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Event } from "../../../../src/support.ts";
import type { EnsureClusterTool } from "../tools/ensure.ts";
import { type BuildImageOptions, buildImage } from "./build.ts";

let folder = "";
let context = "";
let calls = "";

/** A builder that behaves as told by files, and writes down what it was asked. */
const fakeBuildah = (root: string) => `#!/bin/sh
while true; do case "$1" in --root|--runroot|--storage-driver) shift 2;; *) break;; esac; done
echo "$@" >> ${root}/calls
case "$1" in
  images) echo docker.io/library/python:3.11-slim;;
  inspect) cat ${root}/inspect;;
  pull) echo "no such host" >&2; exit 125;;
  bud)
    echo "STEP 1/2: FROM python:3.11-slim"
    if [ -e ${root}/hang ]; then touch ${root}/hanging; sleep 60; fi
    if [ -e ${root}/fail ]; then echo "Error: building at STEP RUN false" >&2; exit 1; fi
    for word in "$@"; do case "$word" in --volume=*pip.conf:*) cat "$(echo "$word" | sed 's/--volume=//; s/:.*//')" > ${root}/pip.conf;; esac; done;;
  push)
    for word in "$@"; do case "$word" in
      --digestfile=*) echo sha256:abc > "\${word#--digestfile=}";;
      oci-archive:*) path=\${word#oci-archive:}; echo archive > "\${path%%:*}";;
    esac; done;;
esac
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-build-"));
  context = join(folder, "context");
  calls = join(folder, "calls");
  await mkdir(context);
  await writeFile(join(context, "Containerfile"), "FROM python:3.11-slim\nRUN true\n");
  await describeBase({ labels: {}, steps: 12 });
  await writeFile(join(folder, "buildah"), fakeBuildah(folder), { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ensureTool: EnsureClusterTool = async (name) => ({
  name,
  version: "1",
  origin: "path",
  programs: { buildah: join(folder, "buildah") },
  env: {},
  folders: {},
});

function build(extra: Partial<BuildImageOptions> = {}, seen: Event[] = []) {
  return buildImage({
    containerfile: join(context, "Containerfile"),
    contextFolder: context,
    tag: "localhost/model:1",
    ensureTool,
    cacheFolder: join(folder, "cache"),
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PIP_INDEX_URL: "https://user:secret@mirror.example.com/simple",
    },
    events: (event) => void seen.push(event),
    signal: new AbortController().signal,
    ...extra,
  });
}

function describeBase({
  labels,
  steps,
}: {
  readonly labels: Record<string, string>;
  readonly steps: number;
}) {
  const image = { OCIv1: { config: { Labels: labels }, history: Array.from({ length: steps }, () => ({})) } };
  return writeFile(join(folder, "inspect"), JSON.stringify(image));
}

const countBuilds = async () =>
  (await readFile(calls, "utf8")).split("\n").filter((line) => line.startsWith("bud ")).length;

test("builds once for the same inputs, and again when one of them changes", async () => {
  const seen: Event[] = [];
  const first = await build({}, seen);
  expect(first).toMatchObject({ digest: "sha256:abc", cached: false });
  await access(first.archivePath);
  expect(seen).toContainEqual(
    expect.objectContaining({
      detail: "STEP 1/2: FROM python:3.11-slim",
      progress: { done: 0, total: 2, unit: "steps" },
    }),
  );
  expect(await build()).toEqual({ ...first, cached: true });
  expect(await countBuilds()).toBe(1);
  expect((await build({ buildArguments: { MODEL_VERSION: "v2" } })).cached).toBe(false);
  expect((await build({ tag: "localhost/model:2" })).cached).toBe(false);
  await writeFile(join(context, "train.py"), "print(1)");
  expect((await build()).cached).toBe(false);
  expect(await countBuilds()).toBe(4);
});

test("the host's pip settings reach the build, and stay in no file afterwards", async () => {
  await build();
  expect(await readFile(join(folder, "pip.conf"), "utf8")).toContain(
    "https://user:secret@mirror.example.com",
  );
  const left = await readdir(join(folder, "cache"), { recursive: true, withFileTypes: true });
  for (const entry of left.filter((one) => one.isFile())) {
    expect(await readFile(join(entry.parentPath, entry.name), "utf8")).not.toContain("secret");
  }
});

test("an interrupted build ends, and does not count as done", async () => {
  await writeFile(join(folder, "hang"), "");
  const stop = new AbortController();
  const building = build({ signal: stop.signal });
  while (
    !(await access(join(folder, "hanging")).then(
      () => true,
      () => false,
    ))
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop.abort();
  await expect(building).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  await rm(join(folder, "hang"));
  expect((await build()).cached).toBe(false);
});

test("what a killed build has left is removed by the next", async () => {
  const left = join(folder, "cache", "images", "building-abcdef");
  await mkdir(left, { recursive: true });
  await writeFile(join(left, "image.tar"), "half");
  await build();
  await expect(access(left)).rejects.toMatchObject({ code: "ENOENT" });
});

test("an archive that is not whole is built again", async () => {
  const { archivePath } = await build();
  await truncate(archivePath, 3);
  expect((await build()).cached).toBe(false);
});

test("a failing step is shown with what it wrote", async () => {
  await writeFile(join(folder, "fail"), "");
  await expect(build()).rejects.toMatchObject({
    code: "image-build-failed",
    message: expect.stringContaining("building at STEP RUN false"),
  });
});

test("a base image that can neither be pulled nor made is named, with the reason", async () => {
  await writeFile(join(context, "Containerfile"), "FROM ghcr.io/owner/base:1\n");
  await expect(build()).rejects.toMatchObject({
    code: "base-image-unavailable",
    message: expect.stringMatching(/ghcr\.io\/owner\/base:1.*no such host/s),
  });
});

test("a Containerfile that is not there is a usage error", async () => {
  await expect(build({ containerfile: join(folder, "nothing") })).rejects.toMatchObject({
    code: "containerfile-missing",
    exitCode: 2,
  });
});

test("a stand-in for the base image is told, also when what was built on it comes from the cache", async () => {
  await describeBase({ labels: { "io.github.modelswitch.stand-in": "bookworm" }, steps: 1 });
  for (const cached of [false, true]) {
    const seen: Event[] = [];
    expect(await build({}, seen)).toMatchObject({
      cached,
      standIns: { "docker.io/library/python:3.11-slim": "bookworm" },
    });
    expect(seen).toContainEqual(
      expect.objectContaining({
        code: "base-image-stand-in",
        message: expect.stringContaining("python:3.11-slim is a stand-in"),
      }),
    );
  }
});

test("a stand-in of an earlier modelswitch, which had no python, is not taken for the real image", async () => {
  await describeBase({ labels: {}, steps: 1 });
  const obtaining: string[] = [];
  const noMmdebstrap: EnsureClusterTool = async (name, options) => {
    obtaining.push(name);
    if (name === "mmdebstrap") throw new Error("not here");
    return await ensureTool(name, options);
  };
  await expect(build({ ensureTool: noMmdebstrap })).rejects.toThrow("not here");
  expect(obtaining).toEqual(["buildah", "mmdebstrap"]);
});

test("the builder is given a Containerfile in which values of arguments tell steps apart", async () => {
  await writeFile(join(context, "Containerfile"), "FROM python:3.11-slim\nRUN true\nARG V\nENV V=$V\n");
  await writeFile(join(context, "Containerfile.dockerignore"), "*.log\n");
  await build({ buildArguments: { V: "1" } });
  const bud = (await readFile(calls, "utf8")).split("\n").find((line) => line.startsWith("bud ")) ?? "";
  expect(bud).toContain("--build-arg=V=1");
  expect(bud).toContain(`--ignorefile=${join(context, "Containerfile.dockerignore")}`);
});
