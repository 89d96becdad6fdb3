import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink, rename, rm, utimes, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import * as z from "zod";

/** One file or link of an entry. */
const fileSchema = z.union([
  z.object({ path: z.string(), size: z.number(), mtimeMs: z.number(), sha256: z.string() }),
  z.object({ path: z.string(), link: z.string() }),
]);

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  origin: z.enum(["release", "registry"]),
  layout: z.object({
    version: z.string(),
    onlyIn: z.string().optional(),
    programs: z.record(z.string(), z.string()),
    folders: z.record(z.string(), z.string()).optional(),
    paths: z.record(z.string(), z.string()).optional(),
    prepend: z.record(z.string(), z.array(z.string()).readonly()).optional(),
  }),
  files: z.array(fileSchema),
});

export type Manifest = z.infer<typeof manifestSchema>;
type ManifestFile = z.infer<typeof fileSchema>;

/** State of a folder of the cache. */
export type EntryState =
  | { readonly state: "absent" }
  | { readonly state: "corrupt"; readonly reason: string }
  | { readonly state: "valid"; readonly manifest: Manifest };

const manifestName = "manifest.json";

/**
 * Checks an entry: the manifest and every file it lists are there with their sizes. A file whose time of change is not
 * the recorded one is read and compared by SHA-256.
 */
export async function checkEntry(folder: string): Promise<EntryState> {
  const text = await readFile(join(folder, manifestName), "utf8").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined) {
    const exists = await lstat(folder).then(
      () => true,
      () => false,
    );
    return exists ? { state: "corrupt", reason: "its manifest is missing" } : { state: "absent" };
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) return { state: "corrupt", reason: "its manifest can't be read" };
  const { onlyIn = folder } = manifest.layout;
  if (onlyIn !== folder) return { state: "corrupt", reason: `it was made for ${onlyIn}` };
  const faults = await Promise.all(manifest.files.map((file) => faultOf(folder, file)));
  const systemFaults = await Promise.all(
    Object.entries(manifest.layout.programs)
      .filter(([, path]) => isAbsolute(path))
      .map(([name, path]) =>
        lstat(path).then(
          () => undefined,
          () => `${name} of the system is gone from ${path}`,
        ),
      ),
  );
  const fault = [...faults, ...systemFaults].find((one) => one !== undefined);
  return fault === undefined ? { state: "valid", manifest } : { state: "corrupt", reason: fault };
}

/** Records all that a folder holds, writes that as its manifest, and moves the folder into place. */
export async function publishEntry(
  staging: string,
  folder: string,
  about: Pick<Manifest, "origin" | "layout">,
): Promise<Manifest> {
  const files = await listFiles(staging);
  const manifest: Manifest = { schemaVersion: 1, ...about, files };
  await writeFile(join(staging, manifestName), `${JSON.stringify(manifest, undefined, 1)}\n`);
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder);
  return manifest;
}

function parseManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function faultOf(folder: string, file: ManifestFile): Promise<string | undefined> {
  const path = join(folder, file.path);
  try {
    if ("link" in file) {
      return (await readlink(path)) === file.link ? undefined : `${file.path} links to something else`;
    }
    const found = await lstat(path);
    if (!found.isFile()) return `${file.path} is no file`;
    if (found.size !== file.size) return `${file.path} has ${found.size} bytes instead of ${file.size}`;
    if (Math.abs(found.mtimeMs - file.mtimeMs) < 1) return undefined;
    if ((await sha256Of(path)) !== file.sha256) return `${file.path} has other contents`;
    // A copy of the cache has other times: the next check is to be quick again.
    await utimes(path, file.mtimeMs / 1000, file.mtimeMs / 1000).catch(() => undefined);
    return undefined;
  } catch (error) {
    return isMissing(error) ? `${file.path} is missing` : `${file.path} can't be read`;
  }
}

async function listFiles(folder: string): Promise<ManifestFile[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: ManifestFile[] = [];
  for (const item of found) {
    const full = join(item.parentPath, item.name);
    const path = relative(folder, full);
    if (item.isSymbolicLink()) files.push({ path, link: await readlink(full) });
    if (!item.isFile()) continue;
    const { size, mtimeMs } = await lstat(full);
    files.push({ path, size, mtimeMs, sha256: await sha256Of(full) });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** SHA-256 of a file's contents, hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
