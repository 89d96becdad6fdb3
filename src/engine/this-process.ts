import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Where a process number means the same process: one boot of one kernel, and one PID namespace. Host names say nothing of it: two
 * containers, or two machines, may share one.
 */
export interface ProcessPlace {
  readonly boot: string;
  readonly namespace: string;
}

/** A process, told from any other that has its number at another place or time. */
export interface ProcessIdentity extends ProcessPlace {
  readonly pid: number;
  /** When it started, in whatever unit the system counts; `undefined` where it doesn't say. */
  readonly started?: string | undefined;
}

/** What this machine knows of its processes. */
export interface ProcessTable {
  /** `undefined`: the system doesn't say, so no process is ever known to have ended. */
  readonly place: ProcessPlace | undefined;
  /** When the process started, `"unknown"` where that can't be told, `undefined` where there is none. */
  startedAt(pid: number): string | undefined;
}

/** Whether a process is known to have ended. Of another place nothing is known. */
export function hasEnded(process: Partial<ProcessIdentity>, { place, startedAt }: ProcessTable): boolean {
  const { pid, boot, namespace, started } = process;
  if (place === undefined || pid === undefined) return false;
  if (boot !== place.boot || namespace !== place.namespace) return false;
  const now = startedAt(pid);
  if (now === undefined) return true;
  // One that started at another time has the number by chance.
  return started !== undefined && now !== "unknown" && now !== started;
}

/** This process, for a record that others read. */
export function thisProcess({ place, startedAt }: ProcessTable): { pid: number } & Partial<ProcessIdentity> {
  const { pid } = process;
  const started = startedAt(pid);
  const time = started === undefined || started === "unknown" ? {} : { started };
  return place === undefined ? { pid } : { pid, ...place, ...time };
}

export const processTable: ProcessTable = {
  get place() {
    placeOnce ??= { found: placeNow() };
    return placeOnce.found;
  },
  startedAt: (pid) => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      // EPERM: it runs, as another user.
      if (error instanceof Error && "code" in error && error.code === "ESRCH") return undefined;
    }
    return process.platform === "linux" ? linuxStart(pid) : "unknown";
  },
};

/** The PID namespace that a Linux machine starts with, and never ends. */
const firstNamespace = "pid:[4026531836]";

/**
 * Which machine this is, the same after it was started anew; `undefined` in a container, which ends without it. A digest: the
 * machine's own id is nobody else's business.
 */
export function hostMachine(place: ProcessPlace | undefined): string | undefined {
  if (place === undefined || !place.namespace.startsWith(firstNamespace)) return undefined;
  try {
    const id = readFileSync("/etc/machine-id", "utf8").trim();
    return id === ""
      ? undefined
      : createHash("sha256").update(`modelswitch ${id}`).digest("hex").slice(0, 16);
  } catch {
    return undefined;
  }
}

let placeOnce: { readonly found: ProcessPlace | undefined } | undefined;

function placeNow(): ProcessPlace | undefined {
  try {
    if (process.platform === "linux") {
      return {
        boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
        // Start times are counted by the clock of the time namespace.
        namespace: `${readlinkSync("/proc/self/ns/pid")} ${timeNamespace()}`.trim(),
      };
    }
    if (process.platform === "darwin") {
      const boot = execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], {
        encoding: "utf8",
        timeout: 1_000,
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
      return boot === "" ? undefined : { boot, namespace: "host" };
    }
  } catch {
    // A system that doesn't say: nobody is believed dead.
  }
  return undefined;
}

function timeNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/time");
  } catch {
    // Kernels before 5.6 have none.
    return "";
  }
}

/** Ticks since boot. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may contain anything; the fields after it don't. The first is the state, the 20th the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie: it has ended, only its parent has not looked yet.
    return fields[0] === "Z" ? undefined : (fields[19] ?? "unknown");
  } catch {
    return "unknown";
  }
}
