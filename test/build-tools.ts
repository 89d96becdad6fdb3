/**
 * Obtains what the end-to-end tests need, in the order in which they need it, while other tests run: `node test/build-tools.ts`. Whoever needs one of these
 * tools waits for it, or goes on with what is left of the work; so nothing here is reported as a failure.
 */
import { setPriority } from "node:os";
import { type ClusterToolName, ensureClusterTool } from "../packages/local-cluster/src/tools/ensure.ts";
import { ensureTool } from "../src/tools/ensure.ts";
import type { ToolName } from "../src/tools/tool.ts";
import { isSoak } from "./e2e/soak.ts";
import { ensureTestTool, type TestToolName } from "./tools/ensure.ts";

// Tests wait for seconds, these for minutes.
setPriority(19);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

const options = { signal: stop.signal, progress: () => {} };

async function obtain(...tools: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const tool of tools) {
    try {
      await tool();
    } catch {
      if (stop.signal.aborted) return;
    }
  }
}

const own = (name: ToolName) => () => ensureTool(name, options);
const ofCluster = (name: ClusterToolName) => () => ensureClusterTool(name, options);
const ofTests = (name: TestToolName) => () => ensureTestTool(name, options);

await Promise.all([
  // Most of what the addons are built of is compiled then.
  obtain(ofCluster("kubernetes"), ofCluster("addons")),
  obtain(own("pulumi")),
  obtain(...(["containerd", "etcd", "traefik", "buildah"] as const).map(ofCluster), ofTests("envoy")),
]);
// The first tests need no provider: they must not wait for it.
await obtain(own("kubernetes-provider"));
// One file of tests needs it.
await obtain(ofTests("contour"));
if (isSoak) await obtain(ofTests("envoy-gateway"));
