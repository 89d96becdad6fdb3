import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A Pulumi backend that is a folder of this machine. */
export interface FileBackend {
  readonly folder: string;
  /** As the CLI takes it: absolute, and escaped, so that every name of a folder means that folder. */
  readonly url: string;
}

/**
 * The folder that a `file://` URL means; `undefined` for other URLs. People write paths after `file://` as they are: relative ones
 * start at `base`, `~` is the home folder, and `#`, or a `%` that escapes nothing, stands for itself.
 */
export function fileBackend(url: string, base: string): FileBackend | undefined {
  if (!url.startsWith("file://")) return undefined;
  const [written = "", ...query] = url.slice("file://".length).split("?");
  const path = decoded(written);
  const home = path === "~" || path.startsWith("~/");
  const folder = home ? join(homedir(), path.slice(1)) : resolve(base, path);
  return { folder, url: [pathToFileURL(folder).href, ...query].join("?") };
}

function decoded(path: string): string {
  if (path.includes("#")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
