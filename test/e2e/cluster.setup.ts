import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ensureTool } from "../../src/tools/ensure.ts";
import { buildTestImage } from "../images/test-image.ts";
import { installPackage } from "../support/installed-package.ts";
import { modelswitch, repository, resultOf } from "./cli-process.ts";

async function expectSuccess(args: readonly string[], show: boolean): Promise<Record<string, unknown>> {
  // An hour: the first run on a machine without releases builds Kubernetes and Pulumi.
  const result = await modelswitch(args, { timeoutMs: 3_600_000, show });
  if (result.exitCode !== 0) {
    throw new Error(
      `modelswitch ${args.join(" ")} ended with ${result.exitCode}:\n${result.stdout}\n${result.stderr}`,
    );
  }
  return args.includes("--json") ? resultOf(result.stdout) : {};
}

const ready = "MODELSWITCH_TEST_READY";

/**
 * Installs the package, and brings up a real cluster, with the tiny model server's images in it, and takes everything down afterwards;
 * `MODELSWITCH_TEST_KEEP=1` leaves it up for the next run. Once for all groups of tests.
 */
export async function setup(): Promise<() => Promise<void>> {
  if (process.env[ready] === "1") return async () => {};
  process.env[ready] = "1";
  const clusterName = process.env.MODELSWITCH_TEST_CLUSTER ?? "test";
  process.env.PULUMI_CONFIG_PASSPHRASE = "only for tests";
  const isInstalled = process.env.MODELSWITCH_TEST_PROGRAM !== undefined;
  const installed = isInstalled ? undefined : await installPackage();
  if (installed !== undefined) process.env.MODELSWITCH_TEST_PROGRAM = installed.program;
  const building = buildTools();
  // Both are built where they cannot be downloaded: at the same time, and before a test's own deadline runs.
  await Promise.all([
    expectSuccess(["cluster", "up", "--name", clusterName], true),
    ensureTool("pulumi", { signal: AbortSignal.timeout(3_600_000), progress: () => {} }),
  ]);
  const status = await expectSuccess(["cluster", "status", "--name", clusterName, "--json"], false);
  const cluster = status.cluster as { kubeconfigPath: string; ingressUrl: string; kubectlPath: string };
  const image = await buildTestImage({ events: () => {}, signal: AbortSignal.timeout(300_000) });
  await expectSuccess(["cluster", "load-image", image.archivePath, "--name", clusterName], true);
  process.env.MODELSWITCH_TEST_CLUSTER = clusterName;
  process.env.MODELSWITCH_TEST_KUBECONFIG = cluster.kubeconfigPath;
  process.env.MODELSWITCH_TEST_KUBECTL = cluster.kubectlPath;
  process.env.MODELSWITCH_TEST_INGRESS_URL = cluster.ingressUrl;
  return async () => {
    building.kill("SIGTERM");
    if (process.env.MODELSWITCH_TEST_KEEP !== "1")
      await expectSuccess(["cluster", "down", "--name", clusterName], true);
    await installed?.remove();
  };
}

/** What only some tests need is compiled while the others run. */
function buildTools(): ChildProcess {
  const child = spawn(process.execPath, [join(repository, "test", "build-tools.ts")], { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGTERM"));
  return child;
}
