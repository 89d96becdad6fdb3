import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  type ComponentName,
  lastLinesOfFile,
  messageOf,
  UserError,
} from "../../../../src/support.ts";
import { writePrivateFile } from "./files.ts";
import { clusterVariable, identify, isAlive, type ProcessIdentity, signalProcess } from "./process-table.ts";
import type { ClusterFolders } from "./state-folder.ts";

/** How a component is to run. */
export interface ComponentSpec {
  readonly name: ComponentName;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Program and arguments that it is started through: something that replaces itself by what follows, such as nsenter. */
  readonly through?: readonly string[];
  /** Contents of the files it reads at start: when they change, it is restarted. */
  readonly configuration: readonly string[];
}

/** What is remembered of a component that was started. */
export interface ComponentRecord extends ProcessIdentity {
  readonly digest: string;
}

/** Changes when the program, its arguments or its configuration do. */
export function digestOf(spec: ComponentSpec): string {
  return createHash("sha256")
    .update(JSON.stringify([spec.program, spec.arguments, spec.env, spec.through ?? [], spec.configuration]))
    .digest("hex");
}

export const logPath = (folders: ClusterFolders, name: ComponentName): string =>
  join(folders.logs, `${name}.log`);

const recordPath = (folders: ClusterFolders, name: ComponentName): string =>
  join(folders.processes, `${name}.json`);

export function readComponent(folders: ClusterFolders, name: ComponentName): ComponentRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(folders, name), "utf8")) as ComponentRecord;
  } catch {
    // Never started, or the command was killed while it wrote: then `processesOf` finds the process by its environment.
    return undefined;
  }
}

/** The component's process, if it runs as the specification says. */
export function runningAsSpecified(
  folders: ClusterFolders,
  spec: ComponentSpec,
): ComponentRecord | undefined {
  const record = readComponent(folders, spec.name);
  return record !== undefined && isAlive(record) && record.digest === digestOf(spec) ? record : undefined;
}

/** Starts the component in a session of its own, so that it outlives this command, and remembers it. */
export async function startComponent(
  folders: ClusterFolders,
  spec: ComponentSpec,
  joinCgroup: (pid: number) => void,
): Promise<ComponentRecord> {
  mkdirSync(folders.logs, { recursive: true, mode: 0o700 });
  const log = logPath(folders, spec.name);
  // The log tells of one run; that of the run before is kept beside it.
  if (existsSync(log)) renameSync(log, `${log}.old`);
  const output = openSync(log, "a", 0o600);
  const [command = spec.program, ...args] = [...(spec.through ?? []), spec.program, ...spec.arguments];
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      cwd: "/",
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...spec.env, [clusterVariable]: folders.folder },
    });
    await once(child, "spawn");
  } catch (error) {
    throw new UserError({
      code: "component-not-started",
      message: `${spec.name} could not be started: ${messageOf(error)}`,
      cause: error,
    });
  } finally {
    closeSync(output);
  }
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw componentStopped(folders, spec.name);
  joinCgroup(identity.pid);
  const record = { ...identity, digest: digestOf(spec) };
  writePrivateFile(recordPath(folders, spec.name), JSON.stringify(record));
  return record;
}

/** @throws UserError `component-stopped` when the component has ended, with the end of its log */
export function requireRunning(folders: ClusterFolders, name: ComponentName): void {
  const record = readComponent(folders, name);
  if (record === undefined || !isAlive(record)) throw componentStopped(folders, name);
}

/** The error for a component that has ended by itself. */
export function componentStopped(folders: ClusterFolders, name: ComponentName): UserError {
  const log = logPath(folders, name);
  const lines = lastLogLines(log, 12);
  const last = lines.at(-1);
  return new UserError({
    code: "component-stopped",
    message: `${name} of the local cluster has stopped${last === undefined ? "" : `: ${last}`}`,
    hint: `The end of its log ${log}:\n${lines.join("\n")}\n${wayOut(lines)}`,
    details: { component: name, log },
  });
}

/** What to do about a component that has ended, by the end of its log. */
export function wayOut(lines: readonly string[]): string {
  if (lines.some((line) => line.includes("too many open files"))) {
    return "The kernel gives each user a number of file watches (128 by default), and a cluster takes about 20 of them: allow more with `sysctl fs.inotify.max_user_instances=512`, or take down a cluster that is not needed (`modelswitch cluster list`). Then run `modelswitch cluster up` again.";
  }
  return "`modelswitch cluster up` starts it again; `modelswitch cluster down` removes the cluster.";
}

/** The last lines of a log file that are not empty; none when there is no file. */
export function lastLogLines(path: string, count: number): string[] {
  // Few of them are empty.
  const lines = lastLinesOfFile(path, 10 * count).filter((line) => line.trim() !== "");
  return lines.slice(-count).map((line) => line.slice(0, 500));
}

/** Asks the processes to end, and ends those that have not after a while. Resolves when all of them are gone. */
export async function stopProcesses(
  processes: readonly ProcessIdentity[],
  clock: Clock,
  options: { readonly politeMs: number; readonly deadlineMs?: number },
): Promise<void> {
  const start = clock.now();
  for (const identity of processes) signalProcess(identity, options.politeMs > 0 ? "SIGTERM" : "SIGKILL");
  for (;;) {
    const alive = processes.filter(isAlive);
    if (alive.length === 0) return;
    const waited = clock.now() - start;
    if (waited >= options.politeMs) for (const identity of alive) signalProcess(identity, "SIGKILL");
    if (waited > options.politeMs + (options.deadlineMs ?? 20_000)) {
      throw new UserError({
        code: "process-not-stopped",
        message: `These processes did not end although they were killed: ${alive.map(({ pid }) => pid).join(", ")}.`,
        hint: "They wait in the kernel, usually for a disk or a mount. Once that is resolved, run `modelswitch cluster down` again.",
      });
    }
    await clock.sleep(20);
  }
}

export function forgetComponent(folders: ClusterFolders, name: ComponentName): void {
  rmSync(recordPath(folders, name), { force: true });
}
