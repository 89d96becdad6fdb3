import { readdirSync, readFileSync, statSync } from "node:fs";

/** A process that can't be confused with a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly startTime: string;
  readonly bootId: string;
}

/** Set in the environment of every component; what they start inherits it. */
export const clusterVariable = "MODELSWITCH_CLUSTER_FOLDER";

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** The fields of /proc/PID/stat that matter here. The name in it may hold spaces and brackets. */
export function parseStat(stat: string): ProcessStat | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, , , session] = fields;
  const threads = Number(fields[17]);
  const startTime = fields[19];
  if (state === undefined || session === undefined || startTime === undefined) return undefined;
  // While other threads of a killed program still end, its first is a zombie already, but its sockets are still open.
  const ended = state === "X" || (state === "Z" && threads <= 1);
  return { ended, session: Number(session), startTime };
}

interface ProcessStat {
  /** It only waits to be reaped by its parent. */
  readonly ended: boolean;
  readonly session: number;
  readonly startTime: string;
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Identity of a running process; `undefined` when there is none, or it has ended and only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  if (stat === undefined || stat.ended) return undefined;
  return { pid, startTime: stat.startTime, bootId: bootId() };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

/** Sends the signal unless the process has ended or the pid belongs to another by now. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended in between.
  }
}

export function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match === null ? 0 : Number(match[1]) * 1024;
  } catch {
    return 0;
  }
}

/** What marks a process as belonging to a cluster. */
export interface Belonging {
  /** Value of `clusterVariable`. */
  readonly clusterFolder: string;
  /** Inode numbers of the cluster's namespaces, by kind. */
  readonly namespaces: { readonly net?: number; readonly mnt?: number };
  /** Path of the cluster's cgroup, the same in every hierarchy. */
  readonly cgroup: string;
}

/**
 * All processes of a cluster: components and what they started, by the environment; everything in its namespaces; and
 * everything in its cgroups, which the processes of pods are in. This finds them also when a command was killed before
 * it could record anything.
 */
export function processesOf(belonging: Belonging): ProcessIdentity[] {
  return allProcesses()
    .filter((pid) => belongs(pid, belonging))
    .map(identify)
    .filter((identity) => identity !== undefined);
}

/** Processes with this variable in their environment that were started in a session of their own, as components are. */
export function sessionLeaders(variable: string, value: string): ProcessIdentity[] {
  return allProcesses()
    .filter((pid) => statOf(pid)?.session === pid && hasVariable(pid, variable, value))
    .map(identify)
    .filter((identity) => identity !== undefined);
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function belongs(pid: number, belonging: Belonging): boolean {
  return (
    hasVariable(pid, clusterVariable, belonging.clusterFolder) ||
    inCgroup(pid, belonging.cgroup) ||
    (belonging.namespaces.net !== undefined && namespaceOf(pid, "net") === belonging.namespaces.net) ||
    (belonging.namespaces.mnt !== undefined && namespaceOf(pid, "mnt") === belonging.namespaces.mnt)
  );
}

function hasVariable(pid: number, name: string, value: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`.includes(`\0${name}=${value}\0`);
  } catch {
    return false;
  }
}

function inCgroup(pid: number, cgroup: string): boolean {
  try {
    return isInCgroup(readFileSync(`/proc/${pid}/cgroup`, "utf8"), cgroup);
  } catch {
    return false;
  }
}

/** Whether /proc/PID/cgroup names the cgroup or one below it. */
export function isInCgroup(text: string, cgroup: string): boolean {
  return text.split("\n").some((line) => {
    const path = line.split(":").slice(2).join(":");
    return path === cgroup || path.startsWith(`${cgroup}/`);
  });
}

function namespaceOf(pid: number, kind: "net" | "mnt"): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/${kind}`).ino;
  } catch {
    return undefined;
  }
}
