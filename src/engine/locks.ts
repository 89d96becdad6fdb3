import { readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ProcessPlace, processTable } from "./this-process.ts";

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

function lockFolder(stateFolder: string, project: string, stack: string): string {
  const name = stack.split("/").at(-1) ?? stack;
  return join(stateFolder, ".pulumi", "locks", "organization", project, name);
}

/** How long writing a lock takes at the very most. */
const writingMs = 1_000;

/**
 * Removes what is no lock from the locks of a stack of a file backend: the disk was full, or the machine lost its power, while the
 * CLI wrote one, and every later run would fail at reading it. Returns how many there were.
 */
export async function removeHalfWrittenLocks(
  stateFolder: string,
  project: string,
  stack: string,
  sleep: (ms: number) => Promise<void>,
): Promise<number> {
  const folder = lockFolder(stateFolder, project, stack);
  const before = await halfWritten(folder);
  if (before.length === 0) return 0;
  // Somebody may be writing it now.
  await sleep(writingMs);
  const still = await halfWritten(folder);
  const left = before.filter((file) => still.includes(file));
  await Promise.all(
    left.flatMap((file) => [file, `${file}.attrs`].map((path) => rm(join(folder, path), { force: true }))),
  );
  return left.length;
}

async function halfWritten(folder: string): Promise<string[]> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => !file.endsWith(".attrs"));
  const broken = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
      return text !== undefined && !isJson(text);
    }),
  );
  return files.filter((_, index) => broken[index]);
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The locks on a stack of a file backend. */
export async function readLocks(stateFolder: string, project: string, stack: string): Promise<StackLock[]> {
  const folder = lockFolder(stateFolder, project, stack);
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
  /** Where its process numbers are valid; `undefined`: the system doesn't say. */
  readonly place: ProcessPlace | undefined;
  /** When the process started, `"unknown"` when it runs but that can't be told, `undefined` when there is none. */
  startedAt(pid: number): number | "unknown" | undefined;
}

/**
 * A lock is left behind when the process that took it ran on this machine and is gone. The CLI notes no more than a host name, which
 * two containers may share: where our own note of the run says more, that counts.
 */
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
  get place() {
    return processTable.place;
  },
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
