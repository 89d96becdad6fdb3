import { rename, writeFile } from "node:fs/promises";

/** Writes a file that this user alone may read, through one beside it: a kill never leaves half of it. The folder must be there. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, text, { mode: 0o600 });
  await rename(fresh, file);
}
