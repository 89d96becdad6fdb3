import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFolder, hashOf } from "../../packages/local-cluster/src/images/content-hash.ts";
import { packImages } from "../../packages/local-cluster/src/images/oci-archive.ts";
import { UserError } from "../../src/core/errors.ts";
import { type EventSink, step } from "../../src/core/events.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { requireSuccess, runProgram } from "../../src/tools/run-program.ts";
import { packageFolder } from "./folders.ts";

export interface TestImage {
  /** OCI archive that holds both images. */
  readonly archivePath: string;
  /** Full names, by version. They differ in the model and in the version that their answers carry. */
  readonly names: Readonly<Record<"1" | "2", string>>;
}

export interface BuildTestImageOptions {
  /** @default the user's cache folder */
  readonly cacheFolder?: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

const names = {
  "1": "localhost/modelswitch-test-server:1",
  "2": "localhost/modelswitch-test-server:2",
} as const;

/**
 * The tiny model server in `go/test-server` as an OCI archive with two tags, `:1` and `:2`: seconds to build, a
 * fraction of a second to start. Cached by its source; needs `go` on PATH.
 */
export async function buildTestImage(options: BuildTestImageOptions): Promise<TestImage> {
  const source = join(packageFolder, "go", "test-server");
  const key = hashOf("2", await hashFolder(source), process.arch).slice(0, 16);
  const folder = join(options.cacheFolder ?? cacheFolder(), "images", "test-server");
  const archivePath = join(folder, `${key}.tar`);
  const about = { id: "image:test-server", title: "Build the image modelswitch-test-server" };
  await step(
    options.events,
    about,
    async () => {
      if (await exists(archivePath)) return "cached";
      await mkdir(folder, { recursive: true });
      const scratch = await mkdtemp(join(folder, "building-"));
      try {
        const program = join(scratch, "test-server");
        await compile(source, program, options.signal);
        const files = [{ path: "test-server", contents: await readFile(program), mode: 0o755 }];
        const { archive } = packImages(
          (["1", "2"] as const).map((version) => ({
            name: names[version],
            files,
            entrypoint: ["/test-server"],
            env: { VERSION: version },
            ports: [8080],
          })),
        );
        // Renamed into place as a whole: what is there is always complete.
        const finished = join(scratch, "archive.tar");
        await writeFile(finished, archive);
        await rename(finished, archivePath);
        return "built";
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
    (how) => (how === "cached" ? "from the cache" : undefined),
  );
  return { archivePath, names };
}

/** Compiles one of our own Go programs into a file that needs nothing else. */
export async function compile(
  source: string,
  program: string,
  signal: AbortSignal,
  what = "the test model server",
): Promise<void> {
  try {
    const result = await runProgram(
      "go",
      ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "."],
      {
        cwd: source,
        env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" },
        signal,
        timeoutMs: 15 * 60_000,
      },
    );
    requireSuccess(result, `Building ${what}`);
  } catch (error) {
    if (!(error instanceof UserError) || error.code === "interrupted") throw error;
    throw new UserError({
      code: "image-build-failed",
      message: error.message,
      hint: "It is built with Go 1.24 or later: install it, or put the folder of its `go` on PATH.",
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
