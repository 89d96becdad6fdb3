/**
 * Obtains what the end-to-end tests need, in the order in which they need it, while other tests run: `node test/build-tools.ts`. Whoever needs one of these
 * tools waits for it, or goes on with what is left of the work; so nothing here is reported as a failure.
 */
import { setPriority } from "node:os";
import { ensureTool } from "../src/tools/ensure.ts";
import type { ToolName } from "../src/tools/tool.ts";

// Tests wait for seconds, these for minutes.
setPriority(19);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

async function obtain(...names: readonly ToolName[]): Promise<void> {
  for (const name of names) {
    try {
      await ensureTool(name, { signal: stop.signal, progress: () => {} });
    } catch {
      if (stop.signal.aborted) return;
    }
  }
}

await Promise.all([
  // Most of what the addons are built of is compiled then.
  obtain("kubernetes", "addons"),
  obtain("pulumi"),
  obtain("containerd", "etcd", "traefik", "buildah"),
]);
// The first tests need no official provider: they must not wait for it.
await obtain("kubernetes-provider");
