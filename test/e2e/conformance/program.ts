import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { until } from "../test-cluster.ts";

export interface ProgramOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether it does its work. Refused connections say that it does not yet. */
  readonly isUp: () => Promise<boolean>;
}

/** A program that tests start, kill and start again. */
export class Program {
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #said = "";

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  /** Resolves once it does its work. */
  async start(): Promise<void> {
    const { name, program, args, env, isUp } = this.#options;
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    process.once("exit", () => child.kill("SIGKILL"));
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        this.#said = `${this.#said}${String(data)}`.slice(-10_000);
      });
    await until(`${name} does its work`, async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended:\n${this.#said}`);
      return await isUp().catch(() => false);
    });
  }

  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exit;
  }

  /** Kills it as the machine would, and starts it again. */
  async restart(): Promise<void> {
    await this.end("SIGKILL");
    await this.start();
  }
}

/** So many ports that are free at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a port was expected");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export const answersWell = (url: string) => async () => (await fetch(url)).ok;
