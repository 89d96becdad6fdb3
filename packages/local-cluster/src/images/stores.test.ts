import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findImage, saveCommand } from "./stores.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-stores-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program on PATH that knows one image, and answers otherwise with an error. */
async function program(name: string, image: string | undefined, error = "no such image"): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    `#!/bin/sh\nfor last; do :; done\n[ "$last" = "${image}" ] && exit 0\necho "${error}" >&2\nexit 1\n`,
  );
  await chmod(path, 0o755);
  return path;
}

const find = (image: string, from?: "docker" | "podman" | "buildah") =>
  findImage({ image, from, env: { PATH: `${folder}:/usr/bin:/bin` }, signal: new AbortController().signal });

describe("findImage", () => {
  it("takes the first program that has the image", async () => {
    await program("docker", undefined);
    const podman = await program("podman", "fraud:1.5");
    await program("buildah", "fraud:1.5");
    expect(await find("fraud:1.5")).toEqual({ store: "podman", program: podman });
  });

  it("asks only the one that is named", async () => {
    await program("docker", "fraud:1.5");
    const buildah = await program("buildah", "fraud:1.5");
    expect(await find("fraud:1.5", "buildah")).toEqual({ store: "buildah", program: buildah });
  });

  it("says what each of them said", async () => {
    await program("docker", undefined, "Cannot connect to the Docker daemon");
    const podman = await program("podman", undefined, "fraud:2: image not known");
    await expect(find("fraud:2")).rejects.toMatchObject({
      code: "image-not-found",
      exitCode: 2,
      message: expect.stringContaining(`- podman (${podman}): fraud:2: image not known`),
    });
    await expect(find("fraud:2")).rejects.toThrow("Cannot connect to the Docker daemon");
  });

  it("says that there is none of them", async () => {
    await expect(
      findImage({
        image: "fraud:1.5",
        from: "podman",
        env: { PATH: folder },
        signal: AbortSignal.timeout(9_000),
      }),
    ).rejects.toMatchObject({
      code: "image-store-missing",
      message: expect.stringContaining("podman is not on PATH"),
    });
  });

  it.each(["--all", ""])("refuses %j, which is no name", async (image) => {
    await expect(find(image)).rejects.toMatchObject({ code: "argument-invalid" });
  });
});

it("each program writes an archive to its output", () => {
  expect(saveCommand({ store: "docker", program: "/bin/docker" }, "a:1")).toEqual([
    "/bin/docker",
    "save",
    "a:1",
  ]);
  expect(saveCommand({ store: "buildah", program: "/bin/buildah" }, "a:1").at(-1)).toBe(
    "docker-archive:/dev/stdout",
  );
});
