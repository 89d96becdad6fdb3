import { spawn } from "node:child_process";

export interface Guard {
  /** The leader of the group, once it has started. */
  guard(leader: number | undefined): void;
  /** The leader has ended: what it left running is its own. */
  leave(): void;
}

/**
 * What has left the leader's group for one of its own is still in its session, the fourth field after the name; Linux only. With nothing
 * but what every shell has built in: see `killSession`.
 */
const killOthers = `for stat in /proc/[0-9]*/stat; do
  read -r line < "$stat" || continue
  set -- \${line##*) }
  [ "$4" = "$leader" ] || continue
  stat=\${stat#/proc/}
  kill -KILL "\${stat%/stat}"
done 2>/dev/null;`;

/**
 * A shell that kills a process group when this process is killed, which can do nothing about it itself: the shell's pipe breaks.
 * Started before the group is, so that hardly an instant is left between.
 */
export function endWithUs(): Guard {
  if (process.platform === "win32") return { guard: () => {}, leave: () => {} };
  const script = `read -r leader && { read -r _; kill -KILL "-$leader"; ${killOthers} }`;
  // It lives as long as the group, and needs nothing of our environment.
  const shell = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
  });
  // Without a shell the program is as good as any; only a kill of this process would leave more to clean up.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  return {
    guard: (leader) => {
      if (leader !== undefined) shell.stdin.write(`${leader}\n`);
    },
    leave: () => void shell.kill("SIGKILL"),
  };
}
