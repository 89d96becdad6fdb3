import { spawn } from "node:child_process";
import { join } from "node:path";
import { documents } from "../../src/cli/documents/index.ts";

export const repository = join(import.meta.dirname, "..", "..");

/** The program that tests start: the one of an installed package where the set-up has made one, else this checkout's. */
export function programUnderTest(): string {
  return process.env.MODELSWITCH_TEST_PROGRAM ?? join(repository, "bin", "modelswitch.js");
}

export interface ProcessResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which the process is killed and the call fails. @default 300 000 */
  readonly timeoutMs?: number;
  /** Shows the output as it comes. @default false */
  readonly show?: boolean;
  /** Called with the process once it runs, for tests that signal it. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the command line as a user would: its own process, its exit code. */
export async function modelswitch(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const result = await run(process.execPath, [programUnderTest(), ...args], options);
  requireDocument(args, result);
  return result;
}

/** What a command printed with `--json` is as its published schema says. Throws where it is not. */
function requireDocument(args: readonly string[], { exitCode, stdout }: ProcessResult): void {
  const isStream = ["--watch", "-w", "--follow", "-f", "--help"].some((flag) => args.includes(flag));
  if (exitCode !== 0 || !args.includes("--json") || isStream) return;
  const name = Object.keys(documents)
    .filter((one) => one === args.slice(0, one.split(" ").length).join(" "))
    .toSorted((a, b) => b.length - a.length)[0];
  const document = Object.entries(documents).find(([one]) => one === name)?.[1];
  if (name === undefined || document === undefined) return;
  const { error } = document.safeParse(resultOf(stdout));
  if (error !== undefined)
    throw new Error(`${name} --json is not as its schema says: ${error.message}\n${stdout}`);
}

export function run(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? repository,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (options.show) process.stdout.write(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (options.show) process.stdout.write(text);
    });
    const timeoutMs = options.timeoutMs ?? 300_000;
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`${program} ${args.join(" ")} ran for more than ${timeoutMs} ms.\n${stdout}\n${stderr}`),
      );
    }, timeoutMs);
    child.on("error", reject);
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stdout, stderr });
    });
    options.onStart?.(child);
  });
}

/** The last line of NDJSON, or the one document of a query. */
export function resultOf(output: string): Record<string, unknown> {
  const lines = output.trim().split("\n");
  const last = lines.at(-1) ?? "";
  return JSON.parse(last.startsWith("{") && last.endsWith("}") ? last : output) as Record<string, unknown>;
}
