import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  type BuildImageRequest,
  type BuiltImage,
  cacheFolder,
  type EventSink,
  exitCodes,
  type StepEvent,
  step,
  UserError,
  withLock,
} from "../../../../src/support.ts";
import type { EnsureClusterTool } from "../tools/ensure.ts";
import { type BaseOrigin, ensureBaseImage, standInWarning } from "./base-image.ts";
import { Builder } from "./builder.ts";
import { hostVolumes, ignoreArguments } from "./builder-arguments.ts";
import { baseImages, withArgumentsInKeys } from "./containerfile.ts";
import { hashFolder, hashOf } from "./content-hash.ts";

export interface BuildImageOptions extends BuildImageRequest {
  readonly ensureTool: EnsureClusterTool;
  /** @default the user's cache folder */
  readonly cacheFolder?: string;
  /** @default the environment of this process */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Step that this build belongs to. */
  readonly parent?: string;
}

/** The image under the name that was asked for. */
export type BuiltArchive = Omit<BuiltImage, "name">;

/** Changes when what this file does with the same inputs changes. */
const revision = "2";

/**
 * Builds an image without a container engine, from an ordinary Containerfile, into an OCI archive in the cache. The same inputs are built
 * once; what is in the cache is complete, whatever interrupted a build. Concurrent builds wait for each other and share layers.
 * @throws UserError `image-build-failed`, `base-image-unavailable`, `containerfile-missing`
 */
export async function buildImage(options: BuildImageOptions): Promise<BuiltArchive> {
  const folder = join(options.cacheFolder ?? cacheFolder(), "images");
  const key = await keyOf(options);
  const target = join(folder, "built", key);
  return step(
    options.events,
    {
      id: `image:${options.tag}`,
      title: `Build the image ${options.tag}`,
      ...(options.parent === undefined ? {} : { parent: options.parent }),
    },
    async (progress) => {
      const ready = await readBuilt(target);
      if (ready !== undefined) return warnOfStandIns(ready, options.events);
      const built = await withLock(
        join(folder, "build.lock"),
        {
          signal: options.signal,
          what: `the image ${options.tag}`,
          onWait: ({ pid }) => progress({ detail: `waiting for another build (pid ${pid})` }),
        },
        async () => (await readBuilt(target)) ?? build(options, folder, target, progress),
      );
      return warnOfStandIns(built, options.events);
    },
    (image) => (image.cached ? "from the cache" : undefined),
  );
}

async function keyOf(options: BuildImageOptions): Promise<string> {
  const containerfile = await readFile(options.containerfile, "utf8").catch((cause: unknown) => {
    throw new UserError({
      code: "containerfile-missing",
      message: `The Containerfile ${options.containerfile} can't be read.`,
      exitCode: exitCodes.usage,
      cause,
    });
  });
  const buildArguments = JSON.stringify(Object.entries(options.buildArguments ?? {}).sort());
  const context = await hashFolder(options.contextFolder);
  return hashOf(revision, process.arch, options.tag, containerfile, buildArguments, context).slice(0, 24);
}

interface BuildRecord {
  readonly tag: string;
  readonly digest: string;
  readonly bytes: number;
  readonly standIns?: Readonly<Record<string, string>>;
}

async function readBuilt(target: string): Promise<BuiltArchive | undefined> {
  const archivePath = join(target, "image.tar");
  try {
    const record = JSON.parse(await readFile(join(target, "image.json"), "utf8")) as BuildRecord;
    const { size } = await stat(archivePath);
    return size === record.bytes
      ? { archivePath, digest: record.digest, cached: true, standIns: record.standIns ?? {} }
      : undefined;
  } catch {
    return undefined;
  }
}

const scratchStart = "building-";

/** What killed builds have left. Only for the holder of the lock: then nobody else is building. */
async function removeUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(scratchStart));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

/** Older builds of a tag go, unless they are so young that somebody may be loading them. */
async function removeSuperseded(built: string, present: string, tag: string): Promise<void> {
  const dayMs = 86_400_000;
  for (const name of await readdir(built)) {
    if (name === present) continue;
    const path = join(built, name, "image.json");
    try {
      const record = JSON.parse(await readFile(path, "utf8")) as BuildRecord;
      if (record.tag !== tag || Date.now() - (await stat(path)).mtimeMs < dayMs) continue;
    } catch {
      continue;
    }
    await rm(join(built, name), { recursive: true, force: true });
  }
}

type Progress = (update: Pick<StepEvent, "detail" | "progress">) => void;

async function build(
  options: BuildImageOptions,
  folder: string,
  target: string,
  progress: Progress,
): Promise<BuiltArchive> {
  const { tag, signal, ensureTool, env = process.env } = options;
  const cache = options.cacheFolder ?? cacheFolder();
  const detail = (text: string) => progress({ detail: text });
  const tool = await ensureTool("buildah", { cacheFolder: cache, signal, progress });
  const builder = await Builder.open({ tool, folder: join(folder, "builder"), env, signal });
  await builder.clean();
  const standIns: Record<string, string> = {};
  for (const name of baseImages(await readFile(options.containerfile, "utf8"))) {
    const origin = await ensureBaseImage({
      name,
      builder,
      ensureTool,
      cacheFolder: cache,
      folder: join(folder, "builder"),
      env,
      signal,
      progress: detail,
    });
    if (origin.standIn === undefined) {
      options.events({ type: "info", message: describeBase(name, origin.from) });
    } else {
      standIns[name] = origin.standIn;
    }
  }
  await mkdir(join(folder, "built"), { recursive: true });
  await removeUnfinished(folder);
  const scratch = await mkdtemp(join(folder, scratchStart));
  try {
    const containerfile = join(scratch, "Containerfile");
    const written = await readFile(options.containerfile, "utf8");
    await writeFile(containerfile, withArgumentsInKeys(written, options.buildArguments ?? {}));
    const how = [`--file=${containerfile}`, ...(await ignoreArguments(options.containerfile))];
    await bud(options, builder, [...how, ...(await hostVolumes(scratch, env))], progress);
    detail("writing the archive");
    const finished = join(scratch, "finished");
    await mkdir(finished);
    const archive = join(finished, "image.tar");
    const digestFile = join(scratch, "digest");
    await builder.run(`Writing the image ${tag}`, [
      "push",
      ...builder.policyArguments,
      // A fifth of the time of gzip and smaller; containerd reads it since 1.5.
      "--compression-format=zstd",
      `--digestfile=${digestFile}`,
      tag,
      `oci-archive:${archive}:${tag}`,
    ]);
    const digest = (await readFile(digestFile, "utf8")).trim();
    const record: BuildRecord = { tag, digest, bytes: (await stat(archive)).size, standIns };
    await writeFile(join(finished, "image.json"), JSON.stringify(record));
    // Renamed into place as a whole: an interrupted build is never taken for a finished one.
    await rm(target, { recursive: true, force: true });
    await rename(finished, target);
    await removeSuperseded(join(folder, "built"), basename(target), tag);
    return { archivePath: join(target, "image.tar"), digest, cached: false, standIns };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function describeBase(name: string, from: BaseOrigin["from"]): string {
  switch (from) {
    case "cache":
      return `Base image ${name}: from the cache.`;
    case "registry":
      return `Base image ${name}: from its registry.`;
    case "debian":
      return `Base image ${name}: made of Debian packages.`;
  }
}

/** Also for what was built before: what an image stands on does not change by being in the cache. */
function warnOfStandIns(image: BuiltArchive, events: EventSink): BuiltArchive {
  for (const [name, release] of Object.entries(image.standIns)) events(standInWarning(name, release));
  return image;
}

async function bud(
  options: BuildImageOptions,
  builder: Builder,
  more: readonly string[],
  progress: Progress,
): Promise<void> {
  const { tag } = options;
  let steps: StepEvent["progress"];
  try {
    await builder.run(
      `Building ${basename(options.containerfile)}`,
      [
        "bud",
        ...builder.policyArguments,
        "--isolation=chroot",
        "--network=host",
        "--pull-never",
        // Layers, so that versions of a model share everything but the model.
        "--layers",
        ...more,
        ...Object.entries(options.buildArguments ?? {}).map(
          ([name, value]) => `--build-arg=${name}=${value}`,
        ),
        `--tag=${tag}`,
        resolve(options.contextFolder),
      ],
      (line) => {
        const at = /^STEP (\d+)\/(\d+):/.exec(line);
        if (at !== null) steps = { done: Number(at[1]) - 1, total: Number(at[2]), unit: "steps" };
        const text = line.replace(/\s+/g, " ").trim();
        // pip draws bars of boxes.
        if (text === "" || text.includes("━")) return;
        progress({ detail: text.slice(0, 200), ...(steps === undefined ? {} : { progress: steps }) });
      },
    );
  } catch (cause) {
    if (!(cause instanceof UserError) || cause.code === "interrupted") throw cause;
    throw new UserError({
      code: "image-build-failed",
      message: cause.message,
      hint: `Nothing of it was kept but the layers of the steps that had ended. The Containerfile is ${options.containerfile}.`,
      cause,
    });
  }
}
