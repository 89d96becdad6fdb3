import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const blockBytes = 64 * 1024;

/** The last lines of a file, read from its end; none when there is no file. */
export function lastLinesOfFile(path: string, count: number): string[] {
  if (count <= 0) return [];
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return [];
  }
  try {
    const blocks: Buffer[] = [];
    let newlines = 0;
    // The newline at the end begins no further line.
    for (let start = fstatSync(file).size; start > 0 && newlines <= count; ) {
      const length = Math.min(blockBytes, start);
      start -= length;
      const block = Buffer.alloc(length);
      readSync(file, block, 0, length, start);
      for (const byte of block) if (byte === 0x0a) newlines += 1;
      blocks.unshift(block);
    }
    const lines = Buffer.concat(blocks).toString("utf8").split("\n");
    if (lines.at(-1) === "") lines.pop();
    return count === Number.POSITIVE_INFINITY ? lines : lines.slice(-count);
  } finally {
    closeSync(file);
  }
}
