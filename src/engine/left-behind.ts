import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../core/clock.ts";
import { type EventSink, step } from "../core/events.ts";
import { isGone, isLeftBehind, type Processes, type StackLock, thisMachine } from "./locks.ts";
import { hostMachine, type ProcessPlace, processTable } from "./this-process.ts";

/** What is noted of a run. */
interface RunNote extends Partial<ProcessPlace> {
  /** Process of the command that started the CLI. */
  readonly command: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly machine?: string | undefined;
}

/** Which CLI processes commands of this project started: so that the next run knows the CLI of a killed command. */
export class RunRecord {
  readonly #base: string;
  #current: string | undefined;

  constructor(folder: string, stack: string) {
    this.#base = join(folder, `${stack.replaceAll("/", "_")}.run`);
  }

  /**
   * Notes the CLI that this command has just started, or with `undefined` that it has ended by itself. After one that was
   * killed the note stays.
   */
  readonly note = (cli: number | undefined): void => {
    if (cli === undefined && this.#current !== undefined) rmSync(this.#current, { force: true });
    this.#current = cli === undefined ? undefined : this.#file(cli);
    if (this.#current !== undefined) {
      const note: RunNote = { command: process.pid, at: Date.now(), ...placeNow() };
      writeFileSync(this.#current, JSON.stringify(note));
    }
  };

  /** CLI processes that were killed, or whose command was. */
  leftBehind(processes: Processes): number[] {
    const [folder, prefix] = [dirname(this.#base), `${basename(this.#base)}-`];
    const numbers = readdirSync(folder).map((file) =>
      file.startsWith(prefix) ? Number.parseInt(file.slice(prefix.length), 10) : 0,
    );
    return numbers.filter(
      (cli) =>
        cli > 0 &&
        !this.isElsewhere(cli, processes) &&
        (processes.startedAt(cli) === undefined || this.isOrphan(cli, processes)),
    );
  }

  /** Whether the process is the CLI of a command that is gone. */
  isOrphan(cli: number, processes: Processes): boolean {
    const note = this.#read(cli);
    // It will be killed by its number: that must be known to mean the same process.
    if (note?.boot === undefined || note.boot !== processes.place?.boot) return false;
    if (this.isElsewhere(cli, processes)) return false;
    return isGone(note.command, note.at, processes);
  }

  /** Whether the run is known to be of another boot or container, whose process numbers mean nothing here. */
  isElsewhere(cli: number, { place }: Processes): boolean {
    const note = this.#read(cli);
    if (note?.boot === undefined) return false;
    // All that ran before this machine was started anew has ended.
    if (note.machine !== undefined && note.boot !== place?.boot) return note.machine !== hostMachine(place);
    return note.boot !== place?.boot || note.namespace !== place.namespace;
  }

  #read(cli: number): RunNote | undefined {
    try {
      const { command, at, boot, namespace, machine } = JSON.parse(
        readFileSync(this.#file(cli), "utf8"),
      ) as Record<string, unknown>;
      if (typeof command !== "number" || typeof at !== "number") return undefined;
      const isPlaced = typeof boot === "string" && typeof namespace === "string";
      const isHost = typeof machine === "string";
      return { command, at, ...(isPlaced ? { boot, namespace } : {}), ...(isHost ? { machine } : {}) };
    } catch {
      return undefined;
    }
  }

  forget(cli: number): void {
    rmSync(this.#file(cli), { force: true });
  }

  #file(cli: number): string {
    return `${this.#base}-${cli}.json`;
  }
}

function placeNow(): Partial<ProcessPlace> & { readonly machine?: string } {
  const { place } = processTable;
  const machine = hostMachine(place);
  return { ...place, ...(machine === undefined ? {} : { machine }) };
}

/** How long the CLI of a killed command may take to be gone. */
const patienceMs = 20_000;

/**
 * Clears the locks when each was left behind: by a process that is gone, or by the CLI of a command that is gone, which is
 * then ended first. Returns whether the stack is free now; a lock of a live run is never touched.
 */
export async function releaseLeftBehind(
  locks: readonly StackLock[],
  how: {
    readonly events: EventSink;
    readonly signal: AbortSignal;
    readonly isFileBackend: boolean;
    readonly record: RunRecord;
    /** Removes all locks of the stack, for backends that are no folder. */
    readonly cancel: () => Promise<unknown>;
    readonly processes?: Processes;
  },
): Promise<boolean> {
  const processes = how.processes ?? thisMachine;
  const isLeft = (lock: StackLock) =>
    isLeftBehind(lock, processes) && !how.record.isElsewhere(lock.pid, processes);
  const orphans = locks.filter(
    (lock) =>
      !isLeft(lock) && lock.hostname === processes.hostname && how.record.isOrphan(lock.pid, processes),
  );
  if (locks.length === 0 || !locks.every((lock) => isLeft(lock) || orphans.includes(lock))) {
    return false;
  }
  for (const orphan of orphans) await endOrphan(orphan.pid, processes, how);
  if (orphans.some((orphan) => processes.startedAt(orphan.pid) !== undefined)) return false;
  if (how.isFileBackend) await Promise.all(locks.flatMap(filesOf).map((file) => rm(file, { force: true })));
  else await how.cancel();
  for (const lock of locks) how.record.forget(lock.pid);
  const [first] = locks;
  how.events({
    type: "info",
    message: `A run on this machine (process ${first?.pid}) was killed and left its lock on the stack; the lock is removed.`,
  });
  return true;
}

/** The CLI keeps the attributes of each file of a folder backend beside it. */
function filesOf(lock: StackLock): string[] {
  return ["", ".attrs"].map((ending) => fileURLToPath(lock.url) + ending);
}

/** Killed, not asked: without its command it can't finish well, and would forget what it had begun. */
async function endOrphan(
  pid: number,
  processes: Processes,
  how: { readonly events: EventSink; readonly signal: AbortSignal },
): Promise<void> {
  const about = { id: "left-behind", title: "Ending the CLI of a killed run" };
  await step(how.events, about, async (progress) => {
    const deadline = Date.now() + patienceMs;
    try {
      // Its group: the providers that it started end with it.
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended in the meantime.
    }
    while (processes.startedAt(pid) !== undefined && Date.now() < deadline) {
      progress({ detail: `process ${pid}`, remainingMs: deadline - Date.now() });
      await systemClock.sleep(100, how.signal);
    }
  });
}
