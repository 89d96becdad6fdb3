import { ensureTool } from "../../src/tools/ensure.ts";

/**
 * Before each file: waits until the official provider is there, which is compiled while other tests run. It would count as
 * the first test's own time.
 */
if (process.env.MODELSWITCH_PROVIDER === "official") {
  await ensureTool("kubernetes-provider", { signal: AbortSignal.timeout(3_600_000), progress: () => {} });
}
