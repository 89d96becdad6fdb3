import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { UserError } from "../core/errors.ts";
import { endWithUs } from "../tools/end-with-us.ts";
import { killSession } from "../tools/kill-session.ts";
import { type SecretFile, secretFile } from "./secret-file.ts";

/** What one start of the CLI left behind. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  /** The signal that ended it. */
  readonly endedBy?: string;
}

/** The CLI ended with an exit code other than 0, or could not be started. */
export class PulumiCommandError extends Error {
  override readonly name = "PulumiCommandError";
  readonly output: CommandOutput;

  constructor(output: CommandOutput) {
    super(`pulumi exited with code ${output.code}: ${output.stderr || output.stdout}`);
    this.output = output;
  }
}

export interface PulumiCommandOptions {
  /** Absolute path of the CLI. */
  readonly program: string;
  readonly version: string;
  /** The whole environment of the CLI, but for the passphrase. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Passphrase of the secrets in the state; given to the CLI as a file that nobody else can open, where there is such. */
  readonly passphrase?: string;
  readonly signal: AbortSignal;
  /** Called with the process id of each start, and with `undefined` when it has ended by itself. */
  readonly onProcess?: (pid: number | undefined) => void;
  /** Flags added to every start of these subcommands, for example `up`. */
  readonly extraArguments?: Readonly<Record<string, readonly string[]>>;
  /** How long the CLI may take to end by itself after the first SIGINT. @default 60000 */
  readonly graceMs?: number;
  /** How long one start may take, milliseconds. @default by the subcommand: see `longestMs` */
  readonly timeoutMs?: number;
}

/**
 * The Automation API's `PulumiCommand`, with what it lacks: calls whose answers nobody needs don't start the CLI, the CLI
 * has its own process group (so that Ctrl-C in a terminal reaches it once, from us), and a stop is graceful first and
 * certain in the end.
 */
export class QuickPulumiCommand {
  readonly command: string;
  readonly version: { toString(): string };
  readonly #options: PulumiCommandOptions;

  constructor(options: PulumiCommandOptions) {
    this.#options = options;
    this.command = options.program;
    this.version = { toString: () => options.version };
  }

  async run(
    args: string[],
    cwd: string,
    additionalEnv: Readonly<Record<string, string>>,
    onOutput?: (text: string) => void,
    onError?: (text: string) => void,
  ): Promise<CommandOutput> {
    const answer = answerWithoutCli(args);
    if (answer !== undefined) return { stdout: answer, stderr: "", code: 0 };
    return await this.start(args, { cwd, env: additionalEnv, onOutput, onError });
  }

  /** Starts the CLI whatever the arguments are. `input` is written to its standard input. */
  async start(
    args: readonly string[],
    how: {
      readonly cwd: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly input?: string;
      readonly onOutput?: ((text: string) => void) | undefined;
      readonly onError?: ((text: string) => void) | undefined;
    },
  ): Promise<CommandOutput> {
    const { env, signal, program } = this.#options;
    signal.throwIfAborted();
    const extra = this.#options.extraArguments?.[args[0] ?? ""] ?? [];
    const { passphrase } = this.#options;
    const secret = passphrase === undefined ? undefined : secretFile(passphrase);
    const guard = changing.has(args[0] ?? "") ? endWithUs() : undefined;
    const child = spawn(program, [...args, ...extra, "--non-interactive", "--color", "never"], {
      cwd: how.cwd,
      env: {
        ...env,
        ...how.env,
        ...passphraseVariables(passphrase, secret),
        // Plug-ins that are bundled with the CLI are found beside it.
        PATH: [dirname(program), env.PATH ?? ""].join(delimiter),
        PULUMI_AUTOMATION_API: "true",
      },
      detached: true,
      stdio: ["pipe", "pipe", "pipe", ...(secret === undefined ? [] : [secret.descriptor])],
    }) as ChildProcessWithoutNullStreams;
    guard?.guard(child.pid);
    // The CLI has its own copy of the descriptor, or was not started.
    secret?.close();
    this.#options.onProcess?.(child.pid);
    // A CLI that ends before it has read its input breaks the pipe: its exit code says what happened.
    child.stdin.on("error", () => {});
    child.stdin.end(how.input ?? "");

    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text.stdout += chunk;
      how.onOutput?.(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk;
      how.onError?.(chunk);
    });
    const stop = stopper(child.pid, this.#options.graceMs ?? 60_000);
    const timeoutMs = this.#options.timeoutMs ?? longestMs(args[0] ?? "");
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      stop.begin();
    }, timeoutMs);
    signal.addEventListener("abort", stop.begin, { once: true });
    process.once("exit", stop.interrupt);
    try {
      const end = await new Promise<Pick<CommandOutput, "code" | "endedBy">>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, endedBy) =>
          resolve({ code: code ?? -1, ...(endedBy === null ? {} : { endedBy }) }),
        );
      });
      const output = { ...text, ...end };
      if (output.endedBy === undefined) this.#options.onProcess?.(undefined);
      else if (child.pid !== undefined) killSession(child.pid);
      if (isLate && !signal.aborted) throw timedOut(args, timeoutMs);
      if (output.code !== 0) throw new PulumiCommandError(output);
      return output;
    } catch (error) {
      if (error instanceof PulumiCommandError || error instanceof UserError) throw error;
      throw new PulumiCommandError({ stdout: "", stderr: String(error), code: -1 });
    } finally {
      clearTimeout(deadline);
      stop.end();
      guard?.leave();
      signal.removeEventListener("abort", stop.begin);
      process.removeListener("exit", stop.interrupt);
    }
  }
}

/** Exactly one of both variables: the CLI prefers the passphrase itself. */
function passphraseVariables(
  passphrase: string | undefined,
  file: SecretFile | undefined,
): Readonly<Record<string, string | undefined>> {
  if (passphrase === undefined) return {};
  return {
    PULUMI_CONFIG_PASSPHRASE: file === undefined ? passphrase : undefined,
    PULUMI_CONFIG_PASSPHRASE_FILE: file?.path,
  };
}

/**
 * Left alone when we are killed, the CLI would find its program and perhaps its provider gone, take that for failures, and forget
 * which objects it was about to create; killed at once it leaves them in the state as unfinished, and the next run finds them.
 */
const changing = new Set(["up", "destroy", "refresh"]);

/** How long a subcommand may take at the most: the engine waits for objects, each with a deadline of its own; a backend only answers. */
function longestMs(subcommand: string): number {
  if (changing.has(subcommand) || subcommand === "preview") return 60 * 60_000;
  return subcommand === "plugin" ? 15 * 60_000 : 3 * 60_000;
}

function timedOut(args: readonly string[], timeoutMs: number): UserError {
  const what = args.filter((word) => /^[a-z]+$/.test(word)).slice(0, 2);
  return new UserError({
    code: "program-timeout",
    message: `\`${["pulumi", ...what].join(" ")}\` did not end within ${timeoutMs / 1000} s and was stopped.`,
    hint: "Check that the place where Pulumi keeps its state answers, and that nothing holds an object in the cluster (finalizers, webhooks); then run the command again.",
  });
}

/** First asks (the engine finishes the steps in flight and saves), then insists, then kills the whole group. */
function stopper(pid: number | undefined, graceMs: number) {
  const timers: NodeJS.Timeout[] = [];
  const interrupt = () => send(pid, "SIGINT");
  return {
    interrupt,
    begin: () => {
      if (timers.length > 0) return;
      interrupt();
      timers.push(setTimeout(interrupt, graceMs));
      timers.push(setTimeout(() => send(pid === undefined ? undefined : -pid, "SIGKILL"), graceMs + 10_000));
    },
    end: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}

/**
 * The Automation API selects the stack before, and asks for outputs and history after each operation. We name the stack
 * in each call and read the outputs from the engine's events: four starts of the CLI become one.
 */
function answerWithoutCli(args: readonly string[]): string | undefined {
  if (args[0] !== "stack") return undefined;
  if (args[1] === "select") return "";
  if (args[1] === "output") return "{}";
  if (args[1] === "history") return "[]";
  return undefined;
}
