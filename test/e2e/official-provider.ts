import { mkdir, rename } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { kubernetesProviderVersion } from "../../src/engine/provider.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { repository, run } from "./cli-process.ts";

const program = "pulumi-resource-kubernetes";

/**
 * Builds the official provider from its Go module, which takes ten minutes where nothing of it is compiled yet, and
 * resolves with the environment in which modelswitch uses it. It is the newest that is published as a module: 4.25, and says of
 * itself that it is the one that our `@pulumi/kubernetes` asks for.
 */
export async function officialProvider(): Promise<Readonly<Record<string, string>>> {
  const folder = join(cacheFolder(process.env), "test", "official-provider");
  await mkdir(folder, { recursive: true });
  const built = join(folder, `${program}.${process.pid}`);
  const version = `github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=${kubernetesProviderVersion}`;
  const { exitCode, stderr } = await run(
    "go",
    ["build", "-mod=readonly", "-ldflags", `-s -w -X ${version}`, "-o", built, "."],
    {
      cwd: join(repository, "test", "official-provider"),
      env: { GOFLAGS: "" },
      timeoutMs: 1_800_000,
    },
  );
  if (exitCode !== 0) throw new Error(`The official provider could not be built:\n${stderr}`);
  await rename(built, join(folder, program));
  return {
    PATH: `${folder}${delimiter}${process.env.PATH ?? ""}`,
    MODELSWITCH_PROVIDER: "official",
  };
}
