import { modelswitch } from "../test/e2e/cli-process.ts";
import { line, summarise, timed } from "./statistics.ts";

const name = "bench-up";

async function cluster(command: "up" | "down"): Promise<void> {
  const { exitCode, stdout, stderr } = await modelswitch(["cluster", command, "--name", name], {
    timeoutMs: 3_600_000,
  });
  if (exitCode !== 0) throw new Error(`cluster ${command} ended with ${exitCode}:\n${stdout}\n${stderr}`);
}

/** A local cluster from nothing to ready with everything in the cache, `up` on the running one, and its end. */
export async function warmCluster(runs: number): Promise<string[]> {
  const up: number[] = [];
  const again: number[] = [];
  const down: number[] = [];
  // Fills the cache, and the operating system's.
  await cluster("up");
  await cluster("down");
  for (let index = 0; index < runs; index++) {
    up.push(await timed(() => cluster("up")));
    again.push(await timed(() => cluster("up")));
    down.push(await timed(() => cluster("down")));
  }
  return [
    line("cluster up, warm (goal 20 000 ms)", summarise(up)),
    line("cluster up, on the running cluster", summarise(again)),
    line("cluster down", summarise(down)),
  ];
}
