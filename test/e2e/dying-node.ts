import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import type { TestNamespace } from "./test-cluster.ts";
import { testImages, until } from "./test-cluster.ts";

interface Pod extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

const everyMs = 200;

/**
 * A node that dies. No kubelet runs on it: this class says of its pods what one would, and behind their addresses answer servers on the node
 * of the cluster. Dead, nothing answers there any more, and for as long as the cluster has not noticed (its controllers wait for 40
 * seconds) everything says that the pods are ready.
 */
export class DyingNode {
  readonly name: string;
  readonly #namespace: TestNamespace;
  readonly #pods: string;
  #kubelet: ReturnType<typeof setInterval> | undefined;
  #addresses: readonly string[] = [];
  #started = 0;

  constructor(namespace: TestNamespace) {
    this.#namespace = namespace;
    this.name = `dying-${namespace.name}`;
    this.#pods = `/api/v1/namespaces/${namespace.name}/pods`;
  }

  /** What puts a release's pods there. */
  get releaseArgs(): readonly string[] {
    return ["--set", `kubernetes.pod=${JSON.stringify({ nodeName: this.name })}`];
  }

  async start(servers: number): Promise<void> {
    const { api } = this.#namespace;
    const resources = { cpu: "4", memory: "8Gi", pods: "20" };
    const at = new Date().toISOString();
    const ready = { lastHeartbeatTime: at, lastTransitionTime: at, reason: "KubeletReady", message: "" };
    await api.json({
      method: "POST",
      path: "/api/v1/nodes",
      body: {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: this.name },
        // Nobody else's pods belong there.
        spec: { taints: [{ key: "modelswitch.test/dying", effect: "NoSchedule" }] },
        status: {
          capacity: resources,
          allocatable: resources,
          conditions: [{ type: "Ready", status: "True", ...ready }],
        },
      },
    });
    this.#addresses = await Promise.all(
      Array.from({ length: servers }, (_, index) => this.#server(`server-${index}`)),
    );
    this.#kubelet = setInterval(() => void this.#report().catch(() => undefined), everyMs);
  }

  /** From one moment to the next. */
  async die(): Promise<void> {
    clearInterval(this.#kubelet);
    const { api } = this.#namespace;
    const [pod] = await this.#own();
    for (const [index] of this.#addresses.entries()) await this.#delete(`server-${index}`);
    await until("nothing answers on the dead node", async () => {
      const path = `${this.#pods}/${pod?.metadata?.name}:8080/proxy/v2/health/live`;
      const answer = await api.request({ method: "GET", path, timeoutMs: 5_000 }).catch(() => undefined);
      return answer?.status !== 200;
    });
  }

  async remove(): Promise<void> {
    clearInterval(this.#kubelet);
    for (const { metadata } of await this.#own()) await this.#delete(metadata?.name ?? "");
    await this.#namespace.api.request({ method: "DELETE", path: `/api/v1/nodes/${this.name}` });
  }

  async #server(name: string): Promise<string> {
    const { api } = this.#namespace;
    const container = { name: "model", image: testImages.green, imagePullPolicy: "Never" };
    await api.json({
      method: "POST",
      path: this.#pods,
      body: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
    });
    let address: string | undefined;
    await until(`${name} has an address`, async () => {
      const { status } = await api.json<Pod>({ method: "GET", path: `${this.#pods}/${name}` });
      address = status?.phase === "Running" ? status.podIP : undefined;
      return address !== undefined;
    });
    return address ?? "";
  }

  async #own(): Promise<Pod[]> {
    const { api } = this.#namespace;
    const query = { fieldSelector: `spec.nodeName=${this.name}` };
    return (await api.json<{ items: Pod[] }>({ method: "GET", path: this.#pods, query })).items;
  }

  /** What a kubelet would: pods run that are new, and those are gone that are deleted. */
  async #report(): Promise<void> {
    for (const { metadata, status, spec } of await this.#own()) {
      const name = metadata?.name ?? "";
      if (metadata?.deletionTimestamp !== undefined) await this.#delete(name);
      else if (status?.phase !== "Running") await this.#run(name, spec);
    }
  }

  async #run(name: string, { containers }: Pod["spec"]): Promise<void> {
    const address = this.#addresses[this.#started % this.#addresses.length];
    this.#started += 1;
    const at = new Date().toISOString();
    const conditions = ["Initialized", "PodScheduled", "ContainersReady", "Ready"];
    await this.#namespace.api.json({
      method: "PATCH",
      path: `${this.#pods}/${name}/status`,
      contentType: "application/merge-patch+json",
      body: {
        status: {
          phase: "Running",
          startTime: at,
          podIP: address,
          podIPs: [{ ip: address }],
          conditions: conditions.map((type) => ({ type, status: "True", lastTransitionTime: at })),
          containerStatuses: containers.map(({ name: container, image }) => ({
            ...{ name: container, image, imageID: image, ready: true, started: true, restartCount: 0 },
            state: { running: { startedAt: at } },
          })),
        },
      },
    });
  }

  async #delete(name: string): Promise<void> {
    const { api } = this.#namespace;
    await api.request({ method: "DELETE", path: `${this.#pods}/${name}`, body: { gracePeriodSeconds: 0 } });
  }
}
