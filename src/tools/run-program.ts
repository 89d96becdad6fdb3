import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { interrupted, UserError } from "../core/errors.ts";
import { endWithUs } from "./end-with-us.ts";

export interface RunProgramOptions {
  /** The whole environment. @default the environment of this process */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Aborting ends the program and everything it started; the call rejects with `interrupted` once they are gone. */
  readonly signal?: AbortSignal;
  /** The program is ended after this time; the call rejects with `program-timeout`. @default none */
  readonly timeoutMs?: number;
  /** Called for every line as it is written. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Called for every piece of output as it comes, line or not. */
  readonly onData?: (text: string) => void;
  /** Written to the program's standard input. @default an empty input */
  readonly stdin?: string | Uint8Array;
  /** Only the last so many characters of each stream are kept. @default 16 Mi */
  readonly keepCharacters?: number;
  /** Whether it is killed, with everything that it started, when this process is killed. @default false */
  readonly endsWithUs?: boolean;
  /** Time between the polite and the final signal. @default 3000 */
  readonly killAfterMs?: number;
}

export interface ProgramResult {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
}

/** Leaders of the groups that run now. Being in groups of their own, they would go on when this process ends at once. */
const groups = new Set<number>();

function endGroups(): void {
  for (const pid of groups) killGroup(pid, "SIGTERM");
}

/** After a program has ended, what it left running may hold its output open: it is read no longer than this. */
const outputGraceMs = 1_000;

/**
 * Runs a program in a process group of its own, so that ending it also ends what it started, and a Ctrl-C in the
 * terminal reaches only this process, which decides. Resolves for every exit code; see `requireSuccess`.
 * @throws UserError `program-missing`, `program-timeout`, `interrupted`
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  const {
    signal,
    timeoutMs,
    onLine,
    onData,
    stdin,
    keepCharacters = 16 * 1024 * 1024,
    killAfterMs = 3_000,
  } = options;
  const what = nameOf(path);
  if (signal?.aborted) throw interrupted(what);

  const guard = options.endsWithUs === true ? endWithUs() : undefined;
  const child = spawn(path, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: withoutSecrets(options.env ?? process.env),
    detached: process.platform !== "win32",
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  if (child.pid !== undefined) {
    if (groups.size === 0) process.once("exit", endGroups);
    groups.add(child.pid);
  }
  guard?.guard(child.pid);
  const stdout = collect(child.stdout, keepCharacters, onLine && ((line) => onLine(line, "stdout")));
  const stderr = collect(child.stderr, keepCharacters, onLine && ((line) => onLine(line, "stderr")));
  if (onData !== undefined) for (const stream of [child.stdout, child.stderr]) stream.on("data", onData);
  // A program may end without having read its input: that is its right, and not our error.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin ?? "");

  let ending: "interrupted" | "timeout" | undefined;
  let finalKill: NodeJS.Timeout | undefined;
  const end = (reason: "interrupted" | "timeout") => {
    if (ending !== undefined) return;
    ending = reason;
    killGroup(child.pid, "SIGTERM");
    finalKill = setTimeout(() => killGroup(child.pid, "SIGKILL"), killAfterMs);
  };
  const onAbort = () => end("interrupted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const deadline = timeoutMs === undefined ? undefined : setTimeout(() => end("timeout"), timeoutMs);

  try {
    const [exitCode, exitSignal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code, exitedBy) => {
          // What ignored the polite signal outlives the group's leader.
          if (ending !== undefined) killGroup(child.pid, "SIGKILL");
          const result = () => resolve([code, exitedBy]);
          const grace = setTimeout(() => {
            child.stdout.destroy();
            child.stderr.destroy();
            result();
          }, outputGraceMs);
          child.once("close", () => {
            clearTimeout(grace);
            result();
          });
        });
      },
    );
    if (ending === "interrupted") throw interrupted(what);
    if (ending === "timeout") throw timedOut(path, timeoutMs ?? 0);
    return { path, arguments: args, stdout: stdout(), stderr: stderr(), exitCode, exitSignal };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw spawnFailure(path, options.cwd, error);
  } finally {
    clearTimeout(deadline);
    clearTimeout(finalKill);
    guard?.leave();
    if (child.pid !== undefined) groups.delete(child.pid);
    if (groups.size === 0) process.off("exit", endGroups);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What only Pulumi needs to know; builds and downloads take minutes, in which others may look at them. */
const secrets: ReadonlySet<string> = new Set(["PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"]);

function withoutSecrets(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.has(name)));
}

/**
 * The result, if the program succeeded.
 * @throws UserError `program-failed` with the end of what it wrote
 */
export function requireSuccess(result: ProgramResult, doing?: string): ProgramResult {
  if (result.exitCode === 0) return result;
  const ended =
    result.exitCode === null ? `was ended by ${result.exitSignal}` : `exited with ${result.exitCode}`;
  const output = lastLines(result.stderr.trim() === "" ? result.stdout : result.stderr, 12);
  throw new UserError({
    code: "program-failed",
    message: `${doing === undefined ? "" : `${doing}: `}${nameOf(result.path)} ${ended}${output === "" ? "." : `:\n${output}`}`,
    details: { program: result.path, exitCode: result.exitCode, exitSignal: result.exitSignal },
  });
}

/** The error for a program that is not there. */
export function programMissing(name: string, hint?: string, cause?: unknown): UserError {
  return new UserError({
    code: "program-missing",
    message: `The program ${name} was not found.`,
    hint: hint ?? `Install ${name}, or put it on PATH.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The last lines of a text, without empty lines at its end. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

function timedOut(path: string, timeoutMs: number): UserError {
  return new UserError({
    code: "program-timeout",
    message: `${nameOf(path)} did not end within ${timeoutMs / 1000} s and was stopped.`,
    details: { program: path, timeoutMs },
  });
}

function spawnFailure(path: string, cwd: string | undefined, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  if (error.code === "ENOENT") {
    return programMissing(
      path,
      cwd === undefined ? undefined : `Also check that the folder ${cwd} exists.`,
      error,
    );
  }
  if (error.code !== "EACCES") return error;
  return new UserError({
    code: "program-missing",
    message: `${path} can't be run: it is not executable for this user.`,
    cause: error,
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** Gathers a stream's text, the last `keep` characters of it; also hands out its lines. */
function collect(stream: Readable, keep: number, onLine: ((line: string) => void) | undefined): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > 2 * keep) text = text.slice(-keep);
  });
  stream.on("error", () => undefined);
  if (onLine !== undefined) {
    const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on("line", onLine);
    lines.on("error", () => undefined);
  }
  return () => text.slice(-keep);
}
