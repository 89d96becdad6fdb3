import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How a program is given a secret, so that it is in no command line and in no environment. */
export interface SecretFile {
  /** To be inherited by the program as its file descriptor `secretDescriptor`. */
  readonly descriptor: number;
  /** Path by which the program, and no other, reads it. */
  readonly path: string;
  close(): void;
}

/** The first descriptor after standard input, output and error. */
export const secretDescriptor = 3;

/**
 * A file without a name: it was deleted before the secret was written into it, so nothing stays when this process is killed.
 * `undefined` where a program could not read it more than once, and for secrets that a file would change (the Pulumi CLI
 * takes away white space at its ends).
 */
export function secretFile(
  secret: string,
  platform: NodeJS.Platform = process.platform,
): SecretFile | undefined {
  if (platform !== "linux" || secret === "" || secret !== secret.trim()) return undefined;
  const name = join(tmpdir(), `modelswitch-${randomBytes(12).toString("hex")}`);
  const descriptor = openSync(name, "wx+", 0o600);
  rmSync(name);
  writeSync(descriptor, secret);
  return {
    descriptor,
    path: `/proc/self/fd/${secretDescriptor}`,
    close: () => closeSync(descriptor),
  };
}
