import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills what is left of a program that led a session of its own, also what it had put into other process groups: Pulumi does
 * that with its plug-ins, which else look for minutes whether their engine still lives. Linux only: elsewhere they are left to that.
 */
export function killSession(leader: number): void {
  for (const pid of membersOf(leader)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

function membersOf(leader: number): readonly number[] {
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    return [];
  }
  return entries.map(Number).filter((pid) => Number.isInteger(pid) && sessionOf(pid) === leader);
}

function sessionOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, which may contain anything.
    const session = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
    return session === undefined ? undefined : Number(session);
  } catch {
    return undefined;
  }
}
