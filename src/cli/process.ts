import { exitCodes } from "../core/errors.ts";
import type { Command } from "./command.ts";
import { main } from "./main.ts";
import { colorsFor } from "./output/colors.ts";
import { errorLines, reportOf } from "./output/error.ts";

const showCursor = "\u001b[?25h";

/** Connects `main` with this process: streams, signals, exit code. The only place that ends the process. */
export async function runProcess(): Promise<void> {
  const stop = new AbortController();
  let running: Command | undefined;

  const isJson = () =>
    process.argv.includes("--json") || /^(1|true|yes)$/i.test(process.env.MODELSWITCH_JSON ?? "");
  const restoreTerminal = () => {
    if (process.stderr.isTTY) process.stderr.write(showCursor);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  };
  process.once("exit", restoreTerminal);

  const interrupt = () => {
    if (stop.signal.aborted) {
      const left = running?.ifInterrupted;
      process.stderr.write(`\nStopped at once.${left === undefined ? "" : ` ${left}`}\n`);
      process.exit(exitCodes.interrupted);
    }
    if (!isJson()) {
      process.stderr.write("\nStopping ... (press Ctrl-C again to stop at once)\n");
    }
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);

  // A reader that goes away (`| head`) must not kill a command that is moving traffic.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO" && error.code !== "ERR_STREAM_DESTROYED")
        throw error;
    });
  }

  const defect = (event: "uncaughtException" | "unhandledRejection") => (error: unknown) => {
    // While a Pulumi program runs in this process, Pulumi listens too: what the program leaves unhandled is its failure.
    if (process.listenerCount(event) > 1) return;
    const colors = colorsFor(process.stderr, process.env);
    process.stderr.write(
      `${errorLines(reportOf(error), colors, process.argv.includes("--debug")).join("\n")}\n`,
    );
    process.exit(exitCodes.failed);
  };
  for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, defect(event));

  const code = await main({
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    interrupt,
    onCommand: (command) => {
      running = command;
    },
  });
  // Idle connections to the API server would keep the process alive for seconds.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}
