import { type Clock, systemClock } from "../core/clock.ts";
import { exitCodes } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import type { Command, CommandContext, GlobalOptions } from "./command.ts";
import { commands as allCommands } from "./commands/index.ts";
import { mistypedVariables, toGlobalOptions, variableOf } from "./global-options.ts";
import { colorsFor } from "./output/colors.ts";
import { createRenderer } from "./output/create-renderer.ts";
import { type ErrorReport, errorDocument, errorLines, reportOf } from "./output/error.ts";
import { printableEvent } from "./output/printable.ts";
import type { Output } from "./output/renderer.ts";
import { screenOn } from "./output/screen.ts";
import { packageVersion } from "./package-version.ts";
import { parseCommandLine } from "./program.ts";
import { type PromptInput, prompts } from "./prompts.ts";

/** Everything the command line gets from its process; tests give their own. */
export interface MainOptions {
  /** Words after `modelswitch`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: PromptInput;
  readonly stdout: Output;
  readonly stderr: Output & NodeJS.WritableStream;
  /** Aborts when the user stops the command. */
  readonly signal: AbortSignal;
  /** Stops the command as Ctrl-C does, for prompts that read the keyboard themselves. */
  readonly interrupt: () => void;
  /** @default the system's */
  readonly clock?: Clock;
  /** @default all */
  readonly commands?: readonly Command[];
  /** Told which command runs, for what is said when it is stopped the hard way. */
  readonly onCommand?: (command: Command) => void;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function main(options: MainOptions): Promise<number> {
  const clock = options.clock ?? systemClock;
  const colors = colorsFor(options.stderr, options.env);
  const show = (report: ErrorReport, json: boolean, debug: boolean): number => {
    if (json) options.stdout.write(`${JSON.stringify(errorDocument(report, debug))}\n`);
    else options.stderr.write(`${errorLines(report, colors, debug).join("\n")}\n`);
    return report.exitCode;
  };

  /** For errors that come before the options are read. */
  const asked = (name: string) =>
    options.argv.includes(`--${name}`) || /^(1|true|yes)$/i.test(options.env[variableOf(name)] ?? "");
  let parsed: Awaited<ReturnType<typeof parseCommandLine>>;
  let globals: GlobalOptions;
  try {
    parsed = await parseCommandLine(options.commands ?? allCommands, options.argv, packageVersion());
    globals = toGlobalOptions(parsed.kind === "command" ? parsed.globals : {}, options.cwd, options.env);
  } catch (error) {
    return show(reportOf(error), asked("json"), asked("debug"));
  }
  if (parsed.kind === "text") {
    options.stdout.write(parsed.text.endsWith("\n") ? parsed.text : `${parsed.text}\n`);
    return exitCodes.done;
  }

  const { command, input } = parsed;
  options.onCommand?.(command);
  const renderer = await createRenderer({ ...options, clock, json: globals.json, output: command.output });
  const context: CommandContext = {
    globals,
    env: options.env,
    clock,
    // In JSON control characters are escaped.
    events: (event) => renderer.event(globals.json ? event : printableEvent(event)),
    signal: options.signal,
    screen: screenOn(options.stdout, options.env, clock),
    ...prompts({
      ...options,
      onInterrupt: options.interrupt,
      yes: globals.yes,
      json: globals.json,
      renderer,
    }),
  };
  try {
    options.signal.throwIfAborted();
    for (const { name, meant } of mistypedVariables(options.env)) {
      context.events({
        type: "warning",
        code: "environment-variable-unknown",
        message: `The environment variable ${name} means nothing; did you mean ${meant}?`,
      });
    }
    const result = await command.run(input, context);
    renderer.stop();
    const exitCode = result.exitCode ?? exitCodes.done;
    if (result.isShown === true) return exitCode;
    if (globals.json) {
      const head =
        command.output === "long" ? { type: "result", schemaVersion: 1, exitCode } : { schemaVersion: 1 };
      options.stdout.write(`${JSON.stringify({ ...head, ...result.data })}\n`);
    } else if (result.text.length > 0) {
      options.stdout.write(`${printable(result.text.join("\n"))}\n`);
    }
    return exitCode;
  } catch (error) {
    renderer.stop();
    const stopped = { what: `modelswitch ${command.name}`, hint: command.ifInterrupted };
    return show(reportOf(error, options.signal.aborted ? stopped : undefined), globals.json, globals.debug);
  }
}
