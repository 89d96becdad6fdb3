import { localClusters } from "../../packages/local-cluster/src/index.ts";
import { until } from "./test-cluster.ts";

const name = process.env.MODELSWITCH_TEST_CLUSTER ?? "test";
const clusters = localClusters();
type Component = "etcd" | "kube-apiserver" | "kubelet" | "traefik";

async function processOf(component: Component): Promise<number> {
  const { components } = await clusters.status(name);
  const found = components.find((one) => one.component === component);
  if (found?.state !== "running") throw new Error(`${component} of the cluster ${name} does not run.`);
  return found.pid;
}

/** Stops a component of the test cluster from answering for a while: connections to it stand, and nothing comes over them. */
export async function hang(component: Component, forMs: number): Promise<void> {
  const pid = await processOf(component);
  process.kill(pid, "SIGSTOP");
  try {
    await new Promise((resolve) => setTimeout(resolve, forMs));
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** Kills a component of the test cluster, leaves it dead for a while, and starts it again. Resolves once all of the cluster runs. */
export async function restart(component: Component, deadForMs = 0): Promise<void> {
  process.kill(await processOf(component), "SIGKILL");
  await until(`${component} has ended`, async () => {
    const now = (await clusters.status(name)).components.find((one) => one.component === component);
    return now?.state !== "running";
  });
  // How long it is away is the fault itself: nothing tells when it has been long enough.
  if (deadForMs > 0) await new Promise((resolve) => setTimeout(resolve, deadForMs));
  await clusters.up({ name, events: () => {}, signal: AbortSignal.timeout(120_000) });
}
