import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { exitCodes, lastLines, requireSuccess, runProgram, UserError } from "../../../../src/support.ts";
import type { EnsureClusterTool } from "../tools/ensure.ts";
import type { Builder, ImageDescription } from "./builder.ts";

/** Where a base image came from, and whether it is only like the one of that name. */
export interface BaseOrigin {
  readonly from: "cache" | "registry" | "debian";
  /** The Debian release of whose packages it was made. */
  readonly standIn: string | undefined;
}

/** Label of a base image that was made of Debian packages, and so of what is built on it: the release. */
const standInLabel = "io.github.modelswitch.stand-in";

const pythonPackages = ["python3", "python3-venv", "python3-pip", "ca-certificates"];

/** Debian releases by the images of which they can take the place. */
const debianReleases: Readonly<
  Record<string, { readonly release: string; readonly packages: readonly string[] }>
> = {
  "python:3.11": { release: "bookworm", packages: pythonPackages },
  "python:3.13": { release: "trixie", packages: pythonPackages },
  "debian:bookworm": { release: "bookworm", packages: [] },
  "debian:trixie": { release: "trixie", packages: [] },
};

/** The Debian release and packages that make up an image of this name, if any do. */
export function debianEquivalent(
  name: string,
): { readonly release: string; readonly packages: readonly string[] } | undefined {
  const match = /^docker\.io\/library\/(python:3\.\d+|debian:[a-z]+)(?:-slim)?(?:-[a-z]+)?$/.exec(name);
  const equivalent = match?.[1] === undefined ? undefined : debianReleases[match[1]];
  // A tag may name the release too: python:3.11-slim-bookworm is this one, -bullseye is not.
  const suffix = /-(?!slim)([a-z]+)$/.exec(name)?.[1];
  return suffix !== undefined && suffix !== equivalent?.release ? undefined : equivalent;
}

export interface BaseImageOptions {
  readonly name: string;
  readonly builder: Builder;
  readonly ensureTool: EnsureClusterTool;
  readonly cacheFolder: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: (detail: string) => void;
  /** Time in which a registry must begin to answer. @default 20 000 */
  readonly probeMs?: number;
}

/**
 * Puts the base image into the builder's storage: from there if it has it already, else from its registry, else made of Debian packages
 * under the same name.
 * @throws UserError `base-image-unavailable`
 */
export async function ensureBaseImage(options: BaseImageOptions): Promise<BaseOrigin> {
  const { name, builder, progress } = options;
  const present = await builder.describe(name);
  if (present !== undefined && !isOutdated(name, present)) {
    return { from: "cache", standIn: present.labels[standInLabel] };
  }
  progress(`asking the registry for ${name}`);
  const refusal = await pull(options);
  if (refusal === undefined) return { from: "registry", standIn: undefined };
  const equivalent = debianEquivalent(name);
  if (equivalent === undefined) {
    throw new UserError({
      code: "base-image-unavailable",
      message: `The base image ${name} can't be pulled: ${refusal}`,
      hint: `Without a registry, only ${Object.keys(debianReleases).join(", ")} (and their -slim forms) can be made, of Debian packages.`,
      exitCode: exitCodes.failed,
    });
  }
  progress(`no registry; making a stand-in for ${name} of Debian ${equivalent.release} packages`);
  await makeOfDebian(options, equivalent);
  return { from: "debian", standIn: equivalent.release };
}

/** Earlier stand-ins for Python's images had no `python`, and did not say what they are; the real ones have many steps. */
function isOutdated(name: string, { labels, steps }: ImageDescription): boolean {
  return name.startsWith("docker.io/library/python:") && labels[standInLabel] === undefined && steps <= 1;
}

/** What a user of a stand-in should know. */
export function standInWarning(name: string, release: string) {
  const python = name.includes("/python:") ? ", with Debian's Python and pip as `python` and `pip`" : "";
  return {
    type: "warning",
    code: "base-image-stand-in",
    message: `${name} is a stand-in: its registry could not be reached, so it was made of Debian ${release} packages under the same name${python}. What else the real image has is missing, and versions may differ.`,
    hint: "For production, build where the registry can be reached, with a cache of its own (XDG_CACHE_HOME).",
  } as const;
}

/** Where the real image has its programs, and that anybody may install packages: Debian reserves that to itself. */
const pythonHooks = [
  ...["python:python3", "python3:python3", "pip:pip3", "pip3:pip3"].map((pair) => {
    const [name, target] = pair.split(":");
    return `--customize-hook=ln -s /usr/bin/${target} "$1/usr/local/bin/${name}"`;
  }),
  '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
];

/** Returns why it can't be pulled. Gives up early when nothing answers; a download that has begun may take its time. */
async function pull(options: BaseImageOptions): Promise<string | undefined> {
  const { name, builder, signal, progress } = options;
  const silence = new AbortController();
  const giveUp = () => silence.abort();
  signal.addEventListener("abort", giveUp, { once: true });
  const timer = setTimeout(giveUp, options.probeMs ?? 20_000);
  try {
    await builder.run(
      `Pulling ${name}`,
      ["pull", ...builder.policyArguments, "--retry", "0", name],
      (line) => {
        if (/^(Copying|Getting image source)/.test(line)) clearTimeout(timer);
        progress(line);
      },
      silence.signal,
    );
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    if (silence.signal.aborted) return "its registry did not answer.";
    return error instanceof Error ? lastLines(error.message, 1) : String(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

async function makeOfDebian(
  options: BaseImageOptions,
  { release, packages }: { readonly release: string; readonly packages: readonly string[] },
): Promise<void> {
  const { name, builder, ensureTool, cacheFolder, folder, env, signal, progress } = options;
  const tool = await ensureTool("mmdebstrap", {
    cacheFolder,
    signal,
    progress: ({ detail }) => {
      if (detail !== undefined) progress(detail);
    },
  });
  const scratch = await mkdtemp(join(folder, "tmp", "base-"));
  try {
    const tar = join(scratch, "base.tar");
    const result = await runProgram(
      tool.programs.mmdebstrap ?? "mmdebstrap",
      [
        "--mode=root",
        "--variant=minbase",
        ...(packages.length === 0 ? [] : [`--include=${packages.join(",")}`]),
        ...["man", "doc", "locale", "info"].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        // What is the host's must not be in the image.
        '--customize-hook=: > "$1/etc/resolv.conf"',
        '--customize-hook=: > "$1/etc/hostname"',
        ...(packages.includes("python3") ? pythonHooks : []),
        // Without a mirror named, mmdebstrap takes the release, its updates and its security fixes from Debian.
        release,
        tar,
      ],
      {
        env: { ...env, ...tool.env, TMPDIR: scratch, LC_ALL: "C.UTF-8" },
        signal,
        timeoutMs: 20 * 60_000,
        onLine: (line) => progress(line.replace(/^I: /, "")),
      },
    );
    requireSuccess(result, `Making ${name} of Debian packages`);
    progress(`storing ${name}`);
    const container = await builder.run("Storing the base image", ["from", "--pull-never", "scratch"]);
    await builder.run("Storing the base image", ["add", container, tar, "/"]);
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const command = packages.includes("python3") ? "python3" : "bash";
    await builder.run("Storing the base image", [
      "config",
      ...["--env", path, "--env", "LANG=C.UTF-8", "--cmd", command],
      ...["--label", `${standInLabel}=${release}`],
      container,
    ]);
    await builder.run("Storing the base image", [
      "commit",
      ...builder.policyArguments,
      "--rm",
      container,
      name,
    ]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
