import semver from "semver";

/** The first thing in what a program says that looks like a version, in full: `Client v1.36-dispatcher` gives `1.36.0`. */
export function findVersion(text: string): string | undefined {
  const written = /\bv?\d+\.\d+(?:\.\d+)?/.exec(text)?.[0];
  // Builds and pre-releases of vendors (`v1.31.2-gke.1`) are not older than what they were made of.
  return semver.coerce(written)?.version;
}

/** Whether the version in a text is in a range of npm's kind: `^1.2.0`, `~v1.36.3`, `>=22.19`. */
export function isInRange(text: string, range: string): boolean {
  const found = findVersion(text);
  return found !== undefined && semver.satisfies(found, range);
}
