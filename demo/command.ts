import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ExitCode, exitCodes, interrupted, UserError } from "../src/core/errors.ts";
import type { Event } from "../src/core/events.ts";
import { packageFolder } from "../test/images/folders.ts";

/** An event of a command, and when it happened (milliseconds since the Unix epoch). */
export interface TimedEvent {
  readonly at: number;
  readonly event: Event;
}

export interface CommandOptions {
  /** Folder of the configuration file. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: TimedEvent) => void;
}

interface ErrorLine {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly exitCode?: ExitCode;
}

/**
 * Runs the real command line, `modelswitch ARGS --json`, and returns its result: what the demo shows is what a user
 * gets. Its errors come out as they are.
 */
export async function modelswitch(
  args: readonly string[],
  options: CommandOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { signal, onEvent } = options;
  const name = `modelswitch ${args.join(" ")}`;
  if (signal.aborted) throw interrupted(name);
  const child = spawn(
    process.execPath,
    [join(packageFolder, "bin", "modelswitch.js"), ...args, "--json", "--folder", options.folder],
    // A group of its own: Ctrl-C reaches the command once, through us, and it ends its work properly.
    { env: options.env as NodeJS.ProcessEnv, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const onAbort = () => child.kill("SIGINT");
  signal.addEventListener("abort", onAbort, { once: true });
  let last: Record<string, unknown> | undefined;
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-10_000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const document = parse(line);
    if (document === undefined) return;
    if (document.type === "step" || document.type === "info" || document.type === "warning") {
      const { time, ...event } = document;
      const at = typeof time === "string" ? Date.parse(time) : Date.now();
      onEvent?.({ at, event: event as unknown as Event });
    } else if (document.type !== "resource") {
      last = document;
    }
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (exitCode === exitCodes.done && last !== undefined) return last;
    throw failure(name, exitCode, last?.error as ErrorLine | undefined, errors);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function failure(
  name: string,
  exitCode: number | null,
  error: ErrorLine | undefined,
  errors: string,
): UserError {
  if (exitCode === exitCodes.interrupted) return interrupted(name, error?.hint);
  return new UserError({
    code: error?.code ?? "command-failed",
    message: error?.message ?? `${name} ended with ${exitCode ?? "a signal"}.\n${errors.trim()}`,
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
    exitCode: error?.exitCode ?? exitCodes.failed,
  });
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
