import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { packImages } from "./oci-archive.ts";
import { tarArchive } from "./tar.ts";

let folder = "";
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function unpack(archive: Buffer): string {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-tar-"));
  writeFileSync(join(folder, "archive.tar"), archive);
  execFileSync("tar", ["-xf", "archive.tar"], { cwd: folder });
  return folder;
}

test("tar reads what we write", () => {
  const contents = Buffer.alloc(1025, 7);
  const entries = [
    { path: "a/program", contents, mode: 0o755 },
    { path: "empty", contents: Buffer.alloc(0) },
  ];
  const root = unpack(tarArchive(entries));
  expect(readFileSync(join(root, "a", "program")).equals(contents)).toBe(true);
  expect(statSync(join(root, "a", "program")).mode & 0o777).toBe(0o755);
  expect(statSync(join(root, "empty")).size).toBe(0);
  expect(tarArchive(entries).equals(tarArchive(entries))).toBe(true);
});

test("refuses what the format can't hold", () => {
  expect(() => tarArchive([{ path: "x".repeat(101), contents: Buffer.alloc(0) }])).toThrow(/too long/);
});

test("two images share their layer, and each is found by its full name", () => {
  const image = (version: string) => ({
    name: `localhost/server:${version}`,
    files: [{ path: "server", contents: Buffer.from("program"), mode: 0o755 }],
    entrypoint: ["/server"],
    env: { VERSION: version },
    ports: [8080],
    architecture: "amd64",
  });
  const packed = packImages([image("1"), image("2")]);
  const root = unpack(packed.archive);
  const json = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const blob = (digest: string) => json(join("blobs", digest.replace(":", "/")));
  const index = json("index.json");
  expect(index.manifests.map((entry: { annotations: object }) => entry.annotations)).toEqual(
    ["1", "2"].map((version) => ({
      "org.opencontainers.image.ref.name": `localhost/server:${version}`,
      "io.containerd.image.name": `localhost/server:${version}`,
    })),
  );
  const manifests = index.manifests.map((entry: { digest: string }) => blob(entry.digest));
  expect(manifests[0].layers).toEqual(manifests[1].layers);
  expect(packed.digests["localhost/server:2"]).toBe(index.manifests[1].digest);
  const configuration = blob(manifests[1].config.digest);
  expect(configuration.config).toMatchObject({
    Env: ["VERSION=2"],
    Entrypoint: ["/server"],
    User: "65532:65532",
  });
});
