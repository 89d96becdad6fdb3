import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import * as z from "zod";
import { type Clock, systemClock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";

const holderSchema = z.object({
  pid: z.number(),
  /** Tells the holder from a later process with the same pid; `undefined` where the system doesn't say. */
  started: z.string().optional(),
  host: z.string(),
  token: z.string(),
});

export type LockHolder = z.infer<typeof holderSchema>;

export interface LockOptions {
  readonly signal: AbortSignal;
  /** Called while another process holds the lock, once per look at it. */
  readonly onWait: (holder: LockHolder) => void;
  /** What is being protected, for the error message. */
  readonly what: string;
  /** @default 150 minutes: more than the longest download and build together */
  readonly deadlineMs?: number;
  /** @default 250 */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

/** A holder on another machine (a shared home folder) shows that it lives by touching its file this often. */
const heartbeatMs = 10_000;
const deadAfterMs = 120_000;

/** Runs `work` while holding a lock file. The lock of a process that has died is taken over. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const token = await acquire(path, options);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readHolder(path))?.token === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, options: LockOptions): Promise<string> {
  const { clock = systemClock, deadlineMs = 150 * 60_000, pollMs = 250 } = options;
  const deadline = clock.now() + deadlineMs;
  const token = randomUUID();
  const started = await startOf(process.pid);
  const own: LockHolder = {
    pid: process.pid,
    host: hostname(),
    token,
    ...(started === undefined ? {} : { started }),
  };
  await mkdir(dirname(path), { recursive: true });
  // Linking a complete file is atomic: nobody ever reads a lock without its holder.
  const draft = `${path}.${token}`;
  await writeFile(draft, JSON.stringify(own));
  try {
    for (;;) {
      if (await tryLink(draft, path)) return token;
      const holder = await readHolder(path);
      if (holder !== undefined && (await isAlive(path, holder))) {
        options.onWait(holder);
        if (clock.now() >= deadline) throw heldTooLong(path, options.what, holder, deadlineMs);
        await clock.sleep(pollMs, options.signal);
      } else {
        await removeStale(path, token, holder);
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Takes the lock file away, unless a third process has been quicker and put its own there: then that goes back. */
async function removeStale(path: string, token: string, stale: LockHolder | undefined): Promise<void> {
  const aside = `${path}.${token}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readHolder(aside);
  if (moved !== undefined && moved.token !== stale?.token) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}

async function isAlive(path: string, holder: LockHolder): Promise<boolean> {
  if (holder.host !== hostname()) {
    const found = await stat(path).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs < deadAfterMs;
  }
  return isRunning(holder.pid, holder.started);
}

/** Whether a process runs, and is the one that started then. */
export async function isRunning(pid: number, started?: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // No permission to signal it also means that it is there.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const fields = await statOf(pid);
  // A zombie has ended; nobody has asked for its exit code yet.
  if (fields?.[0] === "Z") return false;
  return started === undefined || fields?.[startField] === started;
}

/** When a process started, in the kernel's ticks since boot (Linux only). */
async function startOf(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[startField];
}

const startField = 19;

/** What the kernel says of a process, from its state on (Linux only). */
async function statOf(pid: number): Promise<string[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the name in parentheses, which may contain anything: count from its end.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function heldTooLong(path: string, what: string, holder: LockHolder, deadlineMs: number): UserError {
  const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
  return new UserError({
    code: "tool-locked",
    message: `Another modelswitch (pid ${holder.pid}${where}) has been obtaining ${what} for more than ${Math.round(deadlineMs / 60_000)} minutes.`,
    hint: `Wait for it, or end that process. Its lock is ${path}.`,
    exitCode: exitCodes.locked,
    details: { lock: path, pid: holder.pid, host: holder.host },
  });
}
