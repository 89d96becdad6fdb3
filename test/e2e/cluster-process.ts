/**
 * Runs `up` of a local cluster in a process of its own, so that a test can kill it: node cluster-process.ts NAME.
 * Prints a line per step.
 */
import { localClusters } from "../../packages/local-cluster/src/index.ts";

const interruption = new AbortController();
process.on("SIGINT", () => interruption.abort());
try {
  await localClusters().up({
    name: process.argv[2] ?? "",
    signal: interruption.signal,
    events: (event) => {
      if (event.type === "step") process.stdout.write(`${event.id} ${event.state}\n`);
    },
  });
} catch (error) {
  const code = error instanceof Error && "code" in error ? error.code : String(error);
  process.stdout.write(`failed: ${code}\n`);
  process.exitCode = 1;
}
