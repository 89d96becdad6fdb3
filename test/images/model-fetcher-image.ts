import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFolder, hashOf } from "../../packages/local-cluster/src/images/content-hash.ts";
import { packImages } from "../../packages/local-cluster/src/images/oci-archive.ts";
import { type EventSink, step } from "../../src/core/events.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { packageFolder } from "./folders.ts";
import { compile } from "./test-image.ts";

export const modelFetcherImage = "localhost/modelswitch-model-fetcher:1";

/** Where distributions keep the certificates that HTTPS needs. */
const certificates = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/**
 * The model fetcher in `go/model-fetcher` as an OCI archive, for clusters that can't reach a registry. Cached by its source; needs
 * `go` on PATH. Returns the path of the archive.
 */
export async function buildModelFetcherImage(options: {
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<string> {
  const source = join(packageFolder, "go", "model-fetcher");
  const key = hashOf("1", await hashFolder(source), process.arch).slice(0, 16);
  const folder = join(cacheFolder(), "images", "model-fetcher");
  const archivePath = join(folder, `${key}.tar`);
  const about = { id: "image:model-fetcher", title: `Build the image ${modelFetcherImage}` };
  return await step(options.events, about, async () => {
    const isThere = await stat(archivePath).then(
      () => true,
      () => false,
    );
    if (isThere) return archivePath;
    await mkdir(folder, { recursive: true });
    const scratch = await mkdtemp(join(folder, "building-"));
    try {
      const program = join(scratch, "model-fetcher");
      await compile(source, program, options.signal, "the model fetcher");
      const authorities = await Promise.any(certificates.map((path) => readFile(path))).catch(
        () => undefined,
      );
      const { archive } = packImages([
        {
          name: modelFetcherImage,
          files: [
            { path: "model-fetcher", contents: await readFile(program), mode: 0o755 },
            ...(authorities === undefined
              ? []
              : [{ path: "etc/ssl/certs/ca-certificates.crt", contents: authorities, mode: 0o644 }]),
          ],
          entrypoint: ["/model-fetcher"],
          env: {},
          ports: [],
        },
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
