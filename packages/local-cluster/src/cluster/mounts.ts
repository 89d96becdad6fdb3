import { readFileSync, statfsSync } from "node:fs";

/** One line of /proc/PID/mountinfo, as far as it matters here. */
export interface Mount {
  readonly mountPoint: string;
  readonly type: string;
  /** Options of the file system, for example the controllers of a cgroup hierarchy. */
  readonly superOptions: readonly string[];
}

export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const mountPoint = before.split(" ")[4];
    const [type, , superOptions] = after.split(" ");
    if (mountPoint === undefined || type === undefined) return [];
    return [{ mountPoint: decodePath(mountPoint), type, superOptions: superOptions?.split(",") ?? [] }];
  });
}

/** The kernel writes spaces and the like in paths as octal numbers. */
const decodePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export const currentMounts = (): Mount[] => parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));

export const isMountPoint = (path: string): boolean =>
  currentMounts().some((mount) => mount.mountPoint === path);

const namespaceFileSystem = 0x6e736673;

/** Whether a namespace is mounted on the file. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === namespaceFileSystem;
  } catch {
    return false;
  }
}
