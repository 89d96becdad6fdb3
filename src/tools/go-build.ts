import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { which } from "./find-on-path.ts";
import {
  estimateRemainingMs,
  goListFormat,
  parseGoDownload,
  parseGoList,
  type TypicalBuild,
} from "./go-progress.ts";
import { requireSuccess, runProgram } from "./run-program.ts";
import type { ToolContext } from "./source.ts";

export interface GoBuild {
  /** Folder that holds the module. */
  readonly module: URL;
  /** Folder in it with another `go.mod` and `go.sum` to build with. @default the module's own */
  readonly modules?: string;
  /** Package to build. */
  readonly target: string;
  /** Values of string variables, by their full name. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly typical: TypicalBuild;
}

const longestDownloadMs = 30 * 60_000;
const longestBuildMs = 90 * 60_000;

/**
 * Builds a Go program from its published module into the file `output`. Modules come from the user's module cache or
 * proxy and are verified by the committed go.sum; compiled packages are kept in the cache for the next build.
 */
export async function buildGoProgram(
  build: GoBuild,
  output: string,
  context: ToolContext,
  clock: Clock = systemClock,
): Promise<void> {
  const { signal, progress } = context;
  const go = await which("go", context.env);
  if (go === undefined) {
    throw new UserError({
      code: "program-missing",
      message: "building it needs Go, and there is no go on PATH",
      hint: "Install Go from https://go.dev/dl.",
    });
  }
  // Inside the folder being filled, so that nothing is left behind when Go is stopped.
  const temporary = `${output}.tmp`;
  await mkdir(temporary, { recursive: true });
  const env = {
    ...context.env,
    CGO_ENABLED: "0",
    GOCACHE: join(context.cacheFolder, "go-build"),
    GOTMPDIR: temporary,
    GOFLAGS: "-mod=readonly",
    GOWORK: "off",
    GOOS: undefined,
    GOARCH: undefined,
  };
  const options = { env, cwd: fileURLToPath(build.module), signal };
  const flags = [
    "-trimpath",
    "-buildvcs=false",
    ...(build.modules === undefined ? [] : [`-modfile=${join(build.modules, "go.mod")}`]),
    "-ldflags",
    linkerFlags(build.variables),
  ];

  progress({ detail: "looking which packages are compiled already" });
  let downloads = 0;
  const list = await runProgram(go, ["list", ...flags, "-deps", "-f", goListFormat, build.target], {
    ...options,
    timeoutMs: longestDownloadMs,
    onLine: (line) => {
      const module = parseGoDownload(line);
      if (module === undefined) return;
      downloads += 1;
      progress({ detail: `downloading Go modules: ${module} (number ${downloads})` });
    },
  });
  if (list.exitCode !== 0 && list.stderr.includes("invalid go version")) {
    throw new UserError({
      code: "program-too-old",
      message: `building it needs Go 1.21 or newer, which fetches the exact version by itself, and ${go} is older`,
      hint: "Install Go from https://go.dev/dl.",
    });
  }
  const packages = parseGoList(requireSuccess(list, "Listing packages").stdout);
  const waiting = new Set(packages.filter((one) => one.stale).map((one) => one.path));
  const toCompile = waiting.size;
  const cores = availableParallelism();
  const started = clock.now();
  let linkingSince = toCompile === 0 ? started : undefined;
  const report = () => {
    const now = clock.now();
    if (waiting.size === 0) linkingSince ??= now;
    const remainingMs = estimateRemainingMs(build.typical, {
      toCompile,
      compiled: toCompile - waiting.size,
      elapsedMs: now - started,
      linkingMs: linkingSince === undefined ? 0 : now - linkingSince,
      cores,
    });
    progress({
      detail: waiting.size === 0 ? "linking" : `compiling on ${cores} cores`,
      progress: { done: packages.length - waiting.size, total: packages.length, unit: "packages" },
      ...(remainingMs === undefined ? {} : { remainingMs }),
    });
  };
  // A large package or the link step is silent for long: the time left goes on running down.
  const ticking = setInterval(report, 1_000);
  report();
  try {
    const result = await runProgram(go, ["build", ...flags, "-v", "-o", output, build.target], {
      ...options,
      timeoutMs: longestBuildMs,
      onLine: (line) => {
        if (waiting.delete(line.trim())) report();
      },
    });
    requireSuccess(result, "Building");
  } finally {
    clearInterval(ticking);
  }
  await rm(temporary, { recursive: true, force: true });
}

function linkerFlags(variables: GoBuild["variables"] = {}): string {
  return ["-s", "-w", ...Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}
