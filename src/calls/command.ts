import type { CommandCall } from "../core/calls.ts";
import { UserError } from "../core/errors.ts";
import { lastLines, runProgram } from "../tools/run-program.ts";
import { type Attempt, asEvidence, decided, unclear } from "./attempt.ts";
import type { CallIo } from "./io.ts";
import { type CallPayload, variablesOf } from "./payload.ts";

const evidenceLines = 10;
const keptCharacters = 4_000;

/**
 * Runs a program once, with the payload on its standard input and in variables. It has a process group of its own, which is ended
 * at the deadline, when the signal aborts, and when this process is killed.
 * @throws UserError `interrupted`
 */
export async function runCommand(
  io: CallIo,
  call: CommandCall,
  payload: CallPayload,
  signal: AbortSignal,
): Promise<Attempt> {
  const [program, ...args] = call.run;
  let written = "";
  const output = () => asEvidence(lastLines(written, evidenceLines));
  try {
    const { exitCode, exitSignal } = await runProgram(program, args, {
      cwd: io.folder,
      env: environmentOf(io, payload),
      stdin: `${JSON.stringify(payload)}\n`,
      timeoutMs: call.timeoutMs,
      signal,
      keepCharacters: keptCharacters,
      endsWithUs: true,
      onData: (text) => {
        written = (written + text).slice(-keptCharacters);
      },
    });
    return verdictOf(exitCode, exitSignal, output());
  } catch (error) {
    if (!(error instanceof UserError))
      return unclear(withOutput(`cannot be run: ${String(error)}`, output()), false);
    if (error.code === "interrupted") throw error;
    if (error.code === "program-timeout") {
      const said = `did not end within ${call.timeoutMs / 1000} s and was stopped`;
      return unclear(withOutput(said, output()), true);
    }
    return unclear(error.message, false);
  }
}

function verdictOf(exitCode: number | null, signal: NodeJS.Signals | null, output: string): Attempt {
  switch (exitCode) {
    case 0:
      return decided("pass", output === "" ? "exit code 0" : output);
    case 1:
    case 3:
      return decided("fail", output === "" ? `exit code ${exitCode}` : output);
    case 5:
      return decided("inconclusive", output === "" ? "exit code 5" : output);
    case null:
      return unclear(withOutput(`was ended by ${signal ?? "a signal"}`, output), true);
    default: {
      const meaning = "0 is pass, 1 and 3 are fail, 5 is inconclusive";
      return unclear(
        withOutput(`ended with exit code ${exitCode}, which means nothing here (${meaning})`, output),
        true,
      );
    }
  }
}

function withOutput(said: string, output: string): string {
  return output === "" ? said : `${said}; its last words: ${output}`;
}

function environmentOf(io: CallIo, payload: CallPayload): Record<string, string | undefined> {
  const env = { ...io.env, ...io.extra, ...variablesOf(payload) };
  return Object.fromEntries(Object.entries(env).filter(([name]) => !io.withheld.includes(name)));
}
