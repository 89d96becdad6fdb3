import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  requireSuccess,
  runProgram,
  systemClock,
  type ToolContext,
  withLock,
} from "../../../../src/support.ts";

/** One package to download. */
export interface DebianPackage {
  readonly name: string;
  /** `undefined`: apt's candidate. */
  readonly version: string | undefined;
}

/**
 * What `apt-get install --simulate` would newly install, from its `Inst` lines. A line with the version in brackets is an
 * upgrade of what the system has; what it has is good enough.
 */
export function parseSimulation(output: string): DebianPackage[] {
  return output.split("\n").flatMap((line) => {
    const match = /^Inst (\S+) \((\S+) /.exec(line);
    return match?.[1] === undefined ? [] : [{ name: match[1], version: match[2] }];
  });
}

/** File name, version and size of what `apt-get download --print-uris` lists. */
export function parseUris(output: string): { name: string; version: string; file: string; bytes: number }[] {
  return output.split("\n").flatMap((line) => {
    const match = /^'[^']+' (\S+) (\d+)/.exec(line);
    const file = match?.[1];
    if (file === undefined) return [];
    const [name = file, version = ""] = file.replace(/\.deb$/, "").split("_");
    return [{ name, version: decodeURIComponent(version), file, bytes: Number(match?.[2]) }];
  });
}

/** Per cent done in a line of apt's status output. */
export function parseDownloadStatus(line: string): number | undefined {
  const match = /^dlstatus:\d+:([\d.]+):/.exec(line);
  return match === null ? undefined : Number(match[1]);
}

/** The system's package tool: verifies what it downloads by the archive's signatures. */
export interface Apt {
  resolve(names: readonly string[]): Promise<DebianPackage[]>;
  download(
    packages: readonly DebianPackage[],
    folder: string,
  ): Promise<{ files: string[]; versions: Map<string, string> }>;
}

function aptWith(options: readonly string[], context: ToolContext): Apt {
  const { signal, progress } = context;
  const env = { ...context.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const run = async (args: readonly string[], cwd?: string, onLine?: (line: string) => void) =>
    requireSuccess(
      await runProgram("apt-get", [...networkOptions, ...options, ...args], {
        env,
        signal,
        timeoutMs: 20 * 60_000,
        ...(cwd === undefined ? {} : { cwd }),
        ...(onLine === undefined ? {} : { onLine }),
      }),
    );
  return {
    async resolve(names) {
      progress({ detail: `resolving ${names.join(", ")}` });
      const simulation = await run(["install", "--simulate", "--no-install-recommends", ...names]);
      const missing = parseSimulation(simulation.stdout);
      const known = new Set(missing.map((one) => one.name));
      return [
        ...missing,
        ...names.filter((name) => !known.has(name)).map((name) => ({ name, version: undefined })),
      ];
    },
    async download(packages, folder) {
      const names = packages.map(({ name, version }) =>
        version === undefined ? name : `${name}=${version}`,
      );
      const list = parseUris((await run(["download", "--print-uris", ...names], folder)).stdout);
      const total = list.reduce((sum, one) => sum + one.bytes, 0);
      await run(["download", "-o", "APT::Status-Fd=1", ...names], folder, (line) => {
        const percent = parseDownloadStatus(line);
        if (percent === undefined) return;
        progress({
          detail: `downloading ${list.length} Debian packages`,
          progress: { done: Math.round((total * percent) / 100), total, unit: "bytes" },
        });
      });
      const files = (await readdir(folder)).filter((file) => file.endsWith(".deb")).sort();
      if (files.length < names.length) {
        throw new Error(`apt-get downloaded ${files.length} of ${names.length} packages`);
      }
      return { files, versions: new Map(list.map((one) => [one.name, one.version])) };
    },
  };
}

/** Short deadlines, and no change of user: the user that apt would change to can't write to another user's cache. */
const networkOptions = [
  "-o=APT::Sandbox::User=root",
  "-o=Acquire::http::Timeout=10",
  "-o=Acquire::https::Timeout=10",
  "-o=Acquire::Retries=1",
  // Leave the system's own index cache as it is.
  "-o=Dir::Cache::pkgcache=",
  "-o=Dir::Cache::srcpkgcache=",
];

/**
 * Runs `work` with the package lists of the system. Where these are missing or too old (packages leave the mirrors when
 * newer ones come), once more with lists of our own in the cache, so that the system's stay as they are.
 */
export async function withOwnListsIfNeeded<T>(
  context: ToolContext,
  work: (apt: Apt) => Promise<T>,
): Promise<T> {
  try {
    return await work(aptWith([], context));
  } catch (error) {
    if (context.signal.aborted) throw error;
  }
  const state = join(context.cacheFolder, "apt");
  const options = [`-o=Dir::State::Lists=${join(state, "lists")}`, `-o=Dir::Cache=${join(state, "cache")}`];
  await withLock(
    `${state}.lock`,
    {
      signal: context.signal,
      what: "Debian package lists",
      onWait: ({ pid }) =>
        context.progress({
          detail:
            pid === process.pid
              ? "package lists are being updated"
              : `another modelswitch (pid ${pid}) is updating package lists`,
        }),
    },
    () => updateLists(state, options, context),
  );
  return work(aptWith(options, context));
}

async function updateLists(state: string, options: readonly string[], context: ToolContext): Promise<void> {
  const stamp = join(state, "updated");
  const updated = await stat(stamp).catch(() => undefined);
  if (updated !== undefined && systemClock.now() - updated.mtimeMs < 10 * 60_000) return;
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(state, "cache", "archives", "partial"), { recursive: true });
  context.progress({ detail: "updating package lists in the cache" });
  // By default apt counts a network that can't be reached as success.
  const strict = "-o=APT::Update::Error-Mode=any";
  const result = await runProgram("apt-get", [...networkOptions, ...options, strict, "update"], {
    env: { ...context.env, LC_ALL: "C" },
    signal: context.signal,
    timeoutMs: 5 * 60_000,
  });
  // One unreachable source among several makes this fail though all that is needed has come: what is missing shows next.
  // Whoever runs the command again, with the network mended, gets lists anew.
  if (result.exitCode === 0) await writeFile(stamp, "");
}
