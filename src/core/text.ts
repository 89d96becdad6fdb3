/** What the bytes of a text file say, or why they say nothing. */
export type Decoded = { readonly text: string } | { readonly problem: string };

/**
 * Text files as editors of all systems save them: UTF-8 with or without a byte order mark, UTF-16 with one. Anything else is
 * told apart instead of being read as rubbish.
 */
export function decodeText(bytes: Uint8Array): Decoded {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeAs("utf-16le", bytes.subarray(2));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeAs("utf-16be", bytes.subarray(2));
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    const isUtf16 = bytes.length % 2 === 0 && zero < 2;
    return {
      problem: isUtf16
        ? "is UTF-16 without a byte order mark; save it as UTF-8"
        : `is no text: ${placeOf(bytes, zero)} has a NUL byte`,
    };
  }
  return decodeAs("utf-8", bytes);
}

function decodeAs(encoding: "utf-8" | "utf-16le" | "utf-16be", bytes: Uint8Array): Decoded {
  try {
    // The decoder takes a byte order mark of UTF-8 away.
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch {
    if (encoding !== "utf-8") return { problem: "is damaged UTF-16; save it as UTF-8" };
    return {
      problem: `is not UTF-8: ${placeOf(bytes, firstInvalid(bytes))} is no part of a character; save it as UTF-8`,
    };
  }
}

function placeOf(bytes: Uint8Array, at: number): string {
  let line = 1;
  for (let index = 0; index < at; index++) if (bytes[index] === 0x0a) line++;
  return `line ${line}`;
}

/** The end of the longest beginning that is valid. */
function firstInvalid(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // As a stream, a character that is cut off at the end is no mistake yet.
    if (isValidBeginning(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isValidBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
