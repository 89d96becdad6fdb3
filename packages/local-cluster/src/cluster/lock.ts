import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { userInfo } from "node:os";
import { type Clock, exitCodes, interrupted, UserError } from "../../../../src/support.ts";

export interface ClusterLock {
  release(): void;
}

export interface LockOptions {
  /** What is done, for the one who waits: `cluster up`. */
  readonly doing: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** @default 600 000 */
  readonly deadlineMs?: number;
  /** Called once, with who holds the lock. */
  readonly onWait: (holder: string) => void;
}

/**
 * One command at a time per cluster. The lock is an abstract socket (Linux): the kernel gives it to one process and takes
 * it away with the process, however that ends, so there is no stale lock. Whoever connects is told who holds it.
 * @throws UserError `cluster-locked`
 */
export async function lockCluster(folder: string, options: LockOptions): Promise<ClusterLock> {
  return lockName(`modelswitch-cluster:${shortened(folder)}`, options);
}

/** The kernel allows such names 107 bytes. */
function shortened(path: string): string {
  if (Buffer.byteLength(path) <= 80) return path;
  return createHash("sha256").update(path).digest("hex");
}

/** The same for any name, on the whole machine. */
export async function lockName(name: string, options: LockOptions): Promise<ClusterLock> {
  const { clock, signal } = options;
  const start = clock.now();
  const self = `pid ${process.pid}, user ${userInfo().username}, ${options.doing}, since ${new Date(start).toISOString()}`;
  let waited = false;
  for (;;) {
    if (signal.aborted) throw interrupted("A wait for another command");
    const server = await listen(`\0${name}`, self);
    if (server !== undefined) return { release: () => void server.close() };
    const holder = await askHolder(`\0${name}`);
    if (holder === undefined) continue;
    if (!waited) options.onWait(holder);
    waited = true;
    if (clock.now() - start > (options.deadlineMs ?? 600_000)) {
      throw new UserError({
        code: "cluster-locked",
        message: `Another command works on this local cluster: ${holder}.`,
        hint: "Wait for it, or end it, and run the command again.",
        exitCode: exitCodes.locked,
      });
    }
    await clock.sleep(200, signal);
  }
}

async function listen(path: string, self: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(self);
  });
  server.unref();
  try {
    server.listen(path);
    await once(server, "listening");
    return server;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}

/** `undefined` when the holder has gone. */
async function askHolder(path: string): Promise<string | undefined> {
  const unknown = "a command that does not answer";
  const socket = connect(path);
  let silent = false;
  // The holder may be stopped, or busy for seconds: it holds the lock all the same.
  socket.setTimeout(2_000, () => {
    silent = true;
    socket.destroy();
  });
  try {
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer === "" ? unknown : answer;
  } catch {
    return silent ? unknown : undefined;
  }
}
