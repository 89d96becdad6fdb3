import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { localClusters } from "../packages/local-cluster/src/index.ts";
import { colorsFor } from "../src/cli/output/colors.ts";
import { createRenderer } from "../src/cli/output/create-renderer.ts";
import { type ErrorReport, errorDocument, errorLines, reportOf } from "../src/cli/output/error.ts";
import { systemClock } from "../src/core/clock.ts";
import { exitCodes } from "../src/core/errors.ts";
import { cacheFolder } from "../src/tools/cache-folder.ts";
import { packageFolder } from "../test/images/folders.ts";
import { nextSteps, summary, whatIsLeft } from "./ending.ts";
import { type DemoOptions, parseOptions, usage } from "./options.ts";
import { reportPage } from "./page.ts";
import { type Reached, runDemo } from "./run.ts";

/** Runs the demo and returns its exit code. Never throws. */
async function main(words: readonly string[]): Promise<number> {
  const { env, stdout, stderr } = process;
  const stop = new AbortController();
  let reached: Reached = {};
  let options: DemoOptions | "help";
  try {
    options = parseOptions(words);
  } catch (error) {
    const report = reportOf(error);
    stderr.write(`${errorLines(report, colorsFor(stderr, env), false).join("\n")}\n`);
    return report.exitCode;
  }
  if (options === "help") {
    stdout.write(usage);
    return exitCodes.done;
  }
  const { json, cluster: clusterName } = options;
  const onSignal = () => {
    if (stop.signal.aborted) {
      stderr.write(`\nStopped at once. ${whatIsLeft(reached, clusterName)}\n`);
      process.exit(exitCodes.interrupted);
    }
    stderr.write("\nStopping ... (press Ctrl-C again to stop at once)\n");
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  const renderer = await createRenderer({ json, output: "long", env, clock: systemClock, stdout, stderr });
  try {
    const result = await runDemo({
      options,
      root: resolve(options.folder ?? packageFolder),
      env,
      clock: systemClock,
      clusters: localClusters({ env }),
      events: renderer.event,
      signal: stop.signal,
      onProgress: (progress) => {
        reached = progress;
      },
    });
    renderer.stop();
    const { report, project } = result;
    await writeFile(project.reportPath, `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(project.pagePath, reportPage(report));
    const exitCode = report.load.failed === 0 ? exitCodes.done : exitCodes.failed;
    if (json) {
      const files = { report: project.reportPath, page: project.pagePath, configuration: project.configPath };
      stdout.write(`${JSON.stringify({ type: "result", exitCode, files, ...report })}\n`);
    } else {
      const colors = colorsFor(stdout, env);
      const lines = [
        ...summary(report, colors, stdout.columns ?? 100),
        ...nextSteps(result, process.cwd(), cacheFolder(env), colors),
      ];
      stdout.write(`${lines.join("\n")}\n`);
    }
    return exitCode;
  } catch (error) {
    renderer.stop();
    const report = withWhatIsLeft(error, stop.signal.aborted, whatIsLeft(reached, clusterName));
    if (json) stdout.write(`${JSON.stringify(errorDocument(report, false))}\n`);
    else stderr.write(`${errorLines(report, colorsFor(stderr, env), false).join("\n")}\n`);
    return report.exitCode;
  }
}

/** A stopped demo says what the command that it stopped says, and what is left. */
function withWhatIsLeft(error: unknown, stopped: boolean, left: string): ErrorReport {
  if (!stopped) return reportOf(error);
  const report = reportOf(error, { what: "The demo", hint: undefined });
  return { ...report, hint: report.hint === undefined ? left : `${report.hint}\n${left}` };
}

const exitCode = await main(process.argv.slice(2));
// Idle connections would keep the process alive for seconds.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
