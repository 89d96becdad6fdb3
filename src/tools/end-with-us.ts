import { type ChildProcess, spawn } from "node:child_process";

/**
 * A shell that kills a process group when this process is killed, which can do nothing about it itself: the shell's pipe breaks.
 * To be ended with SIGKILL once the group's leader has ended.
 */
export function endWithUs(leader: number | undefined): ChildProcess | undefined {
  if (leader === undefined || process.platform === "win32") return undefined;
  const script = `read -r _; kill -KILL -${leader}`;
  // It lives as long as the group, and needs nothing of our environment.
  const guard = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
  });
  // Without a shell the program is as good as any; only a kill of this process would leave more to clean up.
  guard.on("error", () => {});
  guard.stdin?.on("error", () => {});
  guard.unref();
  return guard;
}
