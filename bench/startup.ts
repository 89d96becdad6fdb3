import { join } from "node:path";
import { modelswitch, repository, run } from "../test/e2e/cli-process.ts";
import { line, summarise, timed } from "./statistics.ts";

/** Start of the command line against its floor: Node.js with an empty program. */
export async function startup(runs: number): Promise<string[]> {
  const empty: number[] = [];
  const help: number[] = [];
  const options = { cwd: repository };
  await modelswitch(["--help"], options);
  for (let index = 0; index < runs; index++) {
    empty.push(await timed(() => run(process.execPath, ["-e", ""], options)));
    help.push(await timed(() => modelswitch(["--help"], options)));
  }
  const floor = summarise(empty);
  return [
    line("floor: node -e ''", floor),
    line(`${join("bin", "modelswitch.js")} --help (goal 300 ms)`, summarise(help), floor),
  ];
}
