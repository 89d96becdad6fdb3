import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** Hash of everything in a folder that a build could read: names, kinds, executable bits and contents. */
export async function hashFolder(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const names = await readdir(folder, { recursive: true });
  for (const name of names.sort()) {
    const path = join(folder, name);
    const entry = await lstat(path);
    if (entry.isFile()) {
      const contents = await readFile(path);
      const executable = (entry.mode & 0o111) !== 0;
      hash.update(JSON.stringify([name, "file", executable, contents.length]));
      hash.update(contents);
    } else if (entry.isSymbolicLink()) {
      hash.update(JSON.stringify([name, "link", await readlink(path)]));
    }
  }
  return hash.digest("hex");
}

/** One hash of several parts; where one part ends and the next begins is part of it. */
export function hashOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
