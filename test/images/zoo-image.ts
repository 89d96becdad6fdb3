import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFolder, hashOf } from "../../packages/local-cluster/src/images/content-hash.ts";
import { packImages } from "../../packages/local-cluster/src/images/oci-archive.ts";
import { type EventSink, step } from "../../src/core/events.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { packageFolder } from "./folders.ts";
import { compile } from "./test-image.ts";

export const zooImage = "localhost/modelswitch-zoo:1";

/** The server in `go/zoo-server`, with the digits that its models are asked. */
export const zooFolder = join(packageFolder, "go", "zoo-server");

/** The server of the zoo of releases as an OCI archive: one image for all of them. Cached by its source; needs `go` on PATH. Returns its path. */
export async function buildZooImage(options: {
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<string> {
  const key = hashOf("1", await hashFolder(zooFolder), process.arch).slice(0, 16);
  const folder = join(cacheFolder(), "images", "zoo");
  const archivePath = join(folder, `${key}.tar`);
  return await step(options.events, { id: "image:zoo", title: `Build the image ${zooImage}` }, async () => {
    const isThere = await stat(archivePath).then(
      () => true,
      () => false,
    );
    if (isThere) return archivePath;
    await mkdir(folder, { recursive: true });
    const scratch = await mkdtemp(join(folder, "building-"));
    try {
      const program = join(scratch, "zoo-server");
      await compile(zooFolder, program, options.signal, "the server of the zoo");
      const files = [{ path: "zoo-server", contents: await readFile(program), mode: 0o755 }];
      const { archive } = packImages([
        { name: zooImage, files, entrypoint: ["/zoo-server"], env: {}, ports: [8080] },
      ]);
      const finished = join(scratch, "archive.tar");
      await writeFile(finished, archive);
      await rename(finished, archivePath);
      return archivePath;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}
