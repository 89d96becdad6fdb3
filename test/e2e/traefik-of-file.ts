import { afterAll, beforeAll } from "vitest";
import { connect } from "../../src/kubernetes/connect.ts";
import { installKinds, type RunningController, startTraefik } from "./controllers.ts";

/** A Traefik that runs while the tests of this file do, with the kinds of all routers in the cluster. To be used in tests alone. */
export function traefikOfFile(): RunningController {
  const kubeconfigPath = process.env.MODELSWITCH_TEST_KUBECONFIG ?? "";
  let started: RunningController | undefined;
  beforeAll(async () => {
    await installKinds(connect({ path: kubeconfigPath }).api);
    started = await startTraefik(kubeconfigPath);
  }, 300_000);
  afterAll(async () => {
    await started?.stop();
  });
  const running = (): RunningController => {
    if (started === undefined) throw new Error("Traefik has not been started.");
    return started;
  };
  return {
    get url() {
      return running().url;
    },
    get port() {
      return running().port;
    },
    get metricsUrl() {
      return running().metricsUrl;
    },
    restartProxy: () => running().restartProxy(),
    stop: () => running().stop(),
  };
}
