import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packImages } from "../../packages/local-cluster/src/images/oci-archive.ts";
import { repository, run } from "./cli-process.ts";

/** Name of the image in the cluster. */
export const probeImage = "localhost/modelswitch-pod-probe:1";

/** Builds the little program of `pod-probe/` and packs it as an image archive in the folder. */
export async function buildProbeImage(folder: string): Promise<string> {
  const program = join(folder, "pod-probe");
  const built = await run("go", ["build", "-trimpath", "-buildvcs=false", "-o", program, "."], {
    cwd: join(repository, "test", "e2e", "pod-probe"),
    env: { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" },
  });
  if (built.exitCode !== 0) throw new Error(built.stderr);
  const { archive } = packImages([
    {
      name: probeImage,
      files: [{ path: "pod-probe", contents: await readFile(program), mode: 0o755 }],
      entrypoint: ["/pod-probe"],
      env: {},
      ports: [],
    },
  ]);
  const path = join(folder, "pod-probe.tar");
  await writeFile(path, archive);
  return path;
}
