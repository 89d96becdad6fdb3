/** One entry of a tar archive. Paths are relative, with `/`. */
export interface TarEntry {
  readonly path: string;
  readonly contents: Uint8Array;
  /** @default 0o644 */
  readonly mode?: number;
}

const blockSize = 512;

/**
 * A ustar archive of regular files, owned by root and dated 1970, so that equal contents give equal bytes
 * (and so equal digests).
 */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    parts.push(header(entry), Buffer.from(entry.contents));
    const rest = entry.contents.length % blockSize;
    if (rest > 0) parts.push(Buffer.alloc(blockSize - rest));
  }
  parts.push(Buffer.alloc(2 * blockSize));
  return Buffer.concat(parts);
}

function header(entry: TarEntry): Buffer {
  const block = Buffer.alloc(blockSize);
  if (Buffer.byteLength(entry.path) > 100)
    throw new RangeError(`"${entry.path}" is too long for a tar entry.`);
  if (entry.contents.length >= 8 ** 11) throw new RangeError(`"${entry.path}" is too large for a tar entry.`);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(entry.path, 0);
  block.write(octal(entry.mode ?? 0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(entry.contents.length, 12), 124);
  block.write(octal(0, 12), 136);
  // The checksum is taken over the header with spaces in its own place.
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  block.write("root", 265);
  block.write("root", 297);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
