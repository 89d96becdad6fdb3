import { systemClock } from "../core/clock.ts";
import type { KubeconfigSource } from "../kubernetes/source.ts";
import type { EngineObject, Observed } from "./engine-events.ts";
import { withPodReasons } from "./pod-reasons.ts";

/** How long an API server may take to say why pods are not ready. */
const lookMs = 10_000;

/** Asks the cluster of a stack about the pods of its Deployments. */
export class PodLooks {
  readonly #kubeconfig: () => KubeconfigSource;

  constructor(kubeconfig: () => KubeconfigSource) {
    this.#kubeconfig = kubeconfig;
  }

  /** The same, where Deployments that were waited for in vain say why. */
  async withReasons(observed: Observed, signal: AbortSignal): Promise<Observed> {
    return await withPodReasons(observed, async (deployment) => {
      const { whyUnready } = await import("../slots/why-unready.ts");
      const until = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
      return await whyUnready(await this.#placeOf(deployment, until));
    });
  }

  /** Why a Deployment can't become ready any more, once that is so. */
  async whyHopeless(deployment: EngineObject, signal: AbortSignal): Promise<readonly string[]> {
    const { whenHopeless } = await import("../slots/why-unready.ts");
    return await whenHopeless(await this.#placeOf(deployment, signal), systemClock);
  }

  async #placeOf({ namespace, name, uid, secretPaths }: EngineObject, signal: AbortSignal) {
    const { connect } = await import("../kubernetes/connect.ts");
    const { api, namespace: ownNamespace } = connect(this.#kubeconfig());
    return { api, namespace: namespace ?? ownNamespace, name, uid, secretPaths, signal };
  }
}
