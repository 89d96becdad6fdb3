import { PassThrough, Writable } from "node:stream";
import type { Command, CommandResult } from "../../src/cli/command.ts";
import { type MainOptions, main } from "../../src/cli/main.ts";

/** Collects what is written; a terminal if wanted. For tests. */
export class Captured extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly rows = 40;

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** The keyboard of a terminal, or a pipe. For tests. */
export class Keyboard extends PassThrough {
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  setRawMode(): this {
    return this;
  }
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions
  extends Partial<Pick<MainOptions, "env" | "cwd" | "clock" | "commands" | "signal" | "interrupt">> {
  readonly keyboard?: Keyboard;
  readonly stderr?: Captured;
}

/** Runs a command line in this process, as the process itself would. For tests. */
export async function runMain(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const stdout = new Captured();
  const { keyboard = new Keyboard(false), stderr = new Captured(), ...rest } = options;
  const exitCode = await main({
    argv,
    env: { HOME: "/nonexistent" },
    cwd: process.cwd(),
    stdin: keyboard,
    stdout,
    stderr,
    signal: new AbortController().signal,
    interrupt: () => {},
    ...rest,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** A command that does what a test needs. */
export function testCommand(run: Command["run"], more: Partial<Command> = {}): Command {
  return { name: "try", summary: "Try it", output: "long", ...more, run };
}

export const nothing: CommandResult = { data: {}, text: [] };
