/** The first thing in a text that looks like a version, as numbers: `Client v1.36.3` gives [1, 36, 3]. */
export function findVersion(text: string): readonly [number, number, number] | undefined {
  const match = /\bv?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** Whether the version in a text has the same major version as `oldest`, and is not older. */
export function isAtLeast(text: string, oldest: string): boolean {
  const found = findVersion(text);
  const wanted = findVersion(oldest);
  if (found === undefined || wanted === undefined || found[0] !== wanted[0]) return false;
  return found[1] === wanted[1] ? found[2] >= wanted[2] : found[1] > wanted[1];
}

/** Whether the version in a text has the same major and minor version as `wanted`, and is not older. */
export function isSameMinor(text: string, wanted: string): boolean {
  return isAtLeast(text, wanted) && findVersion(text)?.[1] === findVersion(wanted)?.[1];
}
