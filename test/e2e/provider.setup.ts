import { ensureTool } from "../../src/tools/ensure.ts";

/**
 * Before each file: waits until Pulumi's Kubernetes provider is there, which is compiled while other tests run. It would count as
 * the first test's own time.
 */
await ensureTool("kubernetes-provider", { signal: AbortSignal.timeout(3_600_000), progress: () => {} });
