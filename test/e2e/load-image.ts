import { join } from "node:path";
import { buildImage } from "../../packages/local-cluster/src/images/build.ts";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import { modelswitch } from "./cli-process.ts";

/** Puts the images of an archive into the cluster of the tests. */
export async function loadImage(archivePath: string): Promise<void> {
  const name = process.env.MODELSWITCH_TEST_CLUSTER ?? "";
  const loaded = await modelswitch(["cluster", "load-image", archivePath, "--name", name]);
  if (loaded.exitCode !== 0) throw new Error(loaded.stderr);
}

/** Builds a folder's Containerfile, which may take minutes, and puts the image into the cluster of the tests. */
export async function buildAndLoadImage(
  folder: string,
  tag: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { archivePath } = await buildImage({
    containerfile: join(folder, "Containerfile"),
    contextFolder: folder,
    tag,
    buildArguments,
    ensureTool: ensureClusterTool,
    events: () => {},
    signal: AbortSignal.timeout(1_500_000),
  });
  await loadImage(archivePath);
}
