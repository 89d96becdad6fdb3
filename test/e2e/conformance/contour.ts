import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureTestTool } from "../../tools/ensure.ts";
import type { RunningController } from "../controllers.ts";
import { answersWell, freePorts, Program } from "./program.ts";

/** The class that Contour serves, besides objects without one. */
export const contourClass = "contour";

/** Contour as a process on this machine, and the Envoy that it configures. Both listen on loopback alone. */
export async function startContour(kubeconfigPath: string): Promise<RunningController> {
  const options = { signal: AbortSignal.timeout(1_800_000), progress: () => {} };
  const [contour, envoy] = await Promise.all([
    ensureTestTool("contour", options),
    ensureTestTool("envoy", options),
  ]);
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-contour-"));
  const [xds = 0, web = 0, secure = 0, stats = 0, metrics = 0, health = 0, debug = 0] = await freePorts(7);
  const here = "127.0.0.1";
  const program = contour.programs.contour ?? "contour";
  const bootstrap = join(folder, "envoy.json");
  const xdsFlags = ["--xds-address", here, "--xds-port", String(xds)];
  await promisify(execFile)(program, [
    "bootstrap",
    ...xdsFlags,
    "--admin-address",
    join(folder, "admin.sock"),
    bootstrap,
  ]);
  const control = new Program({
    name: "Contour",
    program,
    args: [
      "serve",
      "--kubeconfig",
      kubeconfigPath,
      "--insecure",
      ...xdsFlags,
      ...["--envoy-service-http-address", here, "--envoy-service-http-port", String(web)],
      ...["--envoy-service-https-address", here, "--envoy-service-https-port", String(secure)],
      ...["--envoy-http-access-log", "/dev/null", "--envoy-https-access-log", "/dev/null"],
      ...["--stats-address", here, "--stats-port", String(stats)],
      ...["--http-address", here, "--http-port", String(metrics)],
      ...["--health-address", here, "--health-port", String(health)],
      ...["--debug-http-address", here, "--debug-http-port", String(debug)],
      ...["--ingress-status-address", here, "--ingress-class-name", contourClass],
      "--disable-leader-election",
    ],
    isUp: answersWell(`http://${here}:${health}/healthz`),
  });
  const proxy = new Program({
    name: "Envoy",
    program: envoy.programs.envoy ?? "envoy",
    args: [
      ...["-c", bootstrap, "--service-cluster", "contour", "--service-node", "envoy"],
      ...["--disable-hot-restart", "--concurrency", "2", "--log-level", "error"],
    ],
    // What it shows here is configured by Contour: both work.
    isUp: answersWell(`http://${here}:${stats}/ready`),
  });
  await control.start();
  await proxy.start();
  return {
    url: `http://${here}:${web}`,
    port: web,
    metricsUrl: `http://${here}:${stats}/stats/prometheus`,
    restartControl: () => control.restart(),
    restartProxy: () => proxy.restart(),
    stop: async () => {
      await proxy.end("SIGKILL");
      await control.end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
