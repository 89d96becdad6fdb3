import { chmod, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { buildGoProgram, type GoBuild } from "./go-build.ts";
import type { ToolContext } from "./source.ts";

let folder = "";
let updates: Parameters<ToolContext["progress"]>[0][] = [];

const build: GoBuild = {
  module: new URL("../../go/pulumi/", import.meta.url),
  target: "go.etcd.io/etcd/server/v3",
  variables: { "example.com/version.Version": "v1" },
  typical: { packages: 4, compileSeconds: 40, linkSeconds: 5 },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "go-build-"));
  updates = [];
});

/** A stand-in of Go on PATH that answers `list` and `build`. */
async function context(script: { list: string; build: string }, signal = new AbortController().signal) {
  await writeFile(
    join(folder, "go"),
    `#!/bin/sh\necho "$@" >> ${folder}/calls\ncase $1 in list) ${script.list} ;; build) ${script.build} ;; esac\n`,
  );
  await chmod(join(folder, "go"), 0o755);
  const result: ToolContext = {
    cacheFolder: join(folder, "cache"),
    platform: { os: "linux", cpu: "x64" },
    env: { PATH: `${folder}:/usr/bin:/bin` },
    signal,
    progress: (update) => updates.push(update),
  };
  return result;
}

const list = `echo "go: downloading a.b/c v1.0.0" >&2
printf 'false\\tfmt\\t\\ntrue\\ta.b/c\\tstale\\ntrue\\ta.b/d\\tstale\\nfalse\\ta.b/e\\t\\n'`;

test("counts packages compiled of packages in all; those in the build cache count as compiled", async () => {
  await buildGoProgram(
    build,
    join(folder, "etcd"),
    await context({
      list,
      build: `echo a.b/c >&2; echo noise >&2; echo a.b/d >&2; env > ${folder}/env; touch ${folder}/etcd`,
    }),
  );
  expect(updates[1]?.detail).toBe("downloading Go modules: a.b/c v1.0.0 (number 1)");
  const counts = updates.flatMap((update) => (update.progress === undefined ? [] : [update.progress.done]));
  expect(counts).toEqual([2, 3, 4]);
  expect(updates.at(-1)).toMatchObject({
    detail: "linking",
    progress: { done: 4, total: 4, unit: "packages" },
  });
  expect(updates.at(-1)?.remainingMs).toBeLessThanOrEqual(5_000);
  const env = await readFile(join(folder, "env"), "utf8");
  expect(env).toContain("CGO_ENABLED=0\n");
  expect(env).toContain(`GOCACHE=${folder}/cache/go-build\n`);
  const calls = (await readFile(join(folder, "calls"), "utf8")).split("\n");
  expect(calls[1]).toBe(
    `build -trimpath -buildvcs=false -ldflags -s -w -X example.com/version.Version=v1 -v -o ${folder}/etcd ${build.target}`,
  );
  expect(await readdir(folder)).not.toContain("etcd.tmp");
});

test("a build that fails says what Go said", async () => {
  const failing = context({ list, build: "echo 'missing go.sum entry for a.b/c' >&2; exit 1" });
  await expect(buildGoProgram(build, join(folder, "etcd"), await failing)).rejects.toThrow(
    "Building: go exited with 1:\nmissing go.sum entry for a.b/c",
  );
});

test("a Go that is too old to know what the module asks for is named", async () => {
  const old = context({
    list: "echo \"go: errors parsing go.mod: invalid go version '1.26.0'\" >&2; exit 1",
    build: "",
  });
  await expect(buildGoProgram(build, join(folder, "etcd"), await old)).rejects.toMatchObject({
    code: "program-too-old",
    message: expect.stringContaining(`${folder}/go is older`),
  });
});

test("without Go the error says where to get it", async () => {
  const without = { ...(await context({ list, build: "" })), env: { PATH: "/nowhere" } };
  await expect(buildGoProgram(build, join(folder, "etcd"), without)).rejects.toMatchObject({
    code: "program-missing",
    hint: "Install Go from https://go.dev/dl.",
  });
});
