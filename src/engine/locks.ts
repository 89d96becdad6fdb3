import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A lock on a stack, as the Pulumi CLI records it in its self-managed backends. */
export interface StackLock {
  /** Where the lock is, for example `file:///…/.pulumi/locks/organization/fraud/dev/8c….json`. */
  readonly url: string;
  readonly username: string;
  readonly hostname: string;
  readonly pid: number;
  /** When it was taken, milliseconds since the epoch. */
  readonly since: number;
}

/** The locks that the CLI's refusal names; `undefined` when the text is no such refusal. */
export function locksInError(text: string): StackLock[] | undefined {
  if (!text.includes("the stack is currently locked by")) return undefined;
  const line = /^\s*(\S+): created by (.+)@([^@\s]+) \(pid (\d+)\) at (\S+)\s*$/gm;
  return [...text.matchAll(line)].map(([, url = "", username = "", host = "", pid = "0", since = ""]) => ({
    url,
    username,
    hostname: host,
    pid: Number(pid),
    since: Date.parse(since),
  }));
}

/** The locks on a stack of a file backend. */
export async function readLocks(stateFolder: string, project: string, stack: string): Promise<StackLock[]> {
  const name = stack.split("/").at(-1) ?? stack;
  const folder = join(stateFolder, ".pulumi", "locks", "organization", project, name);
  const files = await readdir(folder).catch(() => []);
  const locks = await Promise.all(
    files.filter((file) => file.endsWith(".json")).map((file) => readLock(join(folder, file))),
  );
  return locks.filter((lock) => lock !== undefined);
}

/** `undefined`: it was released in the meantime, or is being written. */
async function readLock(file: string): Promise<StackLock | undefined> {
  try {
    const { pid, username, hostname, timestamp } = JSON.parse(await readFile(file, "utf8")) as Record<
      string,
      unknown
    >;
    return {
      url: pathToFileURL(file).href,
      username: String(username),
      hostname: String(hostname),
      pid: Number(pid),
      since: Date.parse(String(timestamp)),
    };
  } catch {
    return undefined;
  }
}

/** What this machine knows of its processes. */
export interface Processes {
  readonly hostname: string;
  /** When the process started, `"unknown"` when it runs but that can't be told, `undefined` when there is none. */
  startedAt(pid: number): number | "unknown" | undefined;
}

/** A lock is left behind when the process that took it ran on this machine and is gone. */
export function isLeftBehind(lock: StackLock, processes: Processes): boolean {
  return lock.hostname === processes.hostname && isGone(lock.pid, lock.since, processes);
}

/** Whether the process that had this number at that time is gone. One that started later has the number by chance. */
export function isGone(pid: number, at: number, processes: Processes): boolean {
  const startedAt = processes.startedAt(pid);
  if (startedAt === undefined) return true;
  // Recorded times have whole seconds, and the kernel's start times may be off by a tick or a clock correction.
  return startedAt !== "unknown" && startedAt > at + 5_000;
}

export const thisMachine: Processes = {
  hostname: hostname(),
  startedAt: (pid) => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      // EPERM: it runs, as another user.
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    }
    const start = linuxStart(pid);
    return start === "ended" ? undefined : (start ?? "unknown");
  },
};

/** Clock ticks per second of every Linux that Node runs on. */
const ticksPerSecond = 100;

function linuxStart(pid: number): number | "ended" | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may contain anything; the fields after it are numbers. Field 22 is the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie: it has ended, only its parent has not looked yet.
    if (fields[0] === "Z") return "ended";
    const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
    if (boot === undefined) return undefined;
    return Number(boot) * 1000 + (Number(fields[19]) / ticksPerSecond) * 1000;
  } catch {
    return undefined;
  }
}
