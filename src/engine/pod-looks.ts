import { systemClock } from "../core/clock.ts";
import type { KubeconfigSource } from "../kubernetes/source.ts";
import type { EngineObject, Observed } from "./engine-events.ts";
import type { Waits } from "./hopeless-waits.ts";
import { withPodReasons } from "./pod-reasons.ts";

/** How long an API server may take to say why something is not ready. */
const lookMs = 10_000;
/** By then a controller that runs has published an address, and pods that are there have been found. */
const patienceMs = 15_000;

/** Asks the cluster of a stack about what its provider waits for. */
export class PodLooks implements Waits {
  readonly #kubeconfig: () => KubeconfigSource;

  constructor(kubeconfig: () => KubeconfigSource) {
    this.#kubeconfig = kubeconfig;
  }

  /** The same, where what was waited for in vain says why. */
  async withReasons(observed: Observed, signal: AbortSignal): Promise<Observed> {
    return await withPodReasons(observed, async (about) => {
      const until = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
      return await this.#why(about, until);
    });
  }

  async untilHopeless(about: EngineObject, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const { isWaitedKind, whenHopeless } = await import("../slots/why-unready.ts");
    if (!isWaitedKind(about.kind)) return undefined;
    return await whenHopeless(about.kind, await this.#placeOf(about, signal), systemClock);
  }

  async lacks(about: EngineObject, signal: AbortSignal): Promise<readonly string[]> {
    const { entrances } = await import("../slots/why-unready.ts");
    // Pods say themselves what they are at; and most of them only take their time.
    if (!entrances.has(about.kind)) return [];
    await systemClock.sleep(patienceMs, signal);
    return (await this.#why(about, signal))?.lines ?? [];
  }

  async #why(about: EngineObject, signal: AbortSignal) {
    const { isWaitedKind, whyUnready } = await import("../slots/why-unready.ts");
    if (!isWaitedKind(about.kind)) return undefined;
    return await whyUnready(about.kind, await this.#placeOf(about, signal));
  }

  async #placeOf({ namespace, name, uid, secretPaths }: EngineObject, signal: AbortSignal) {
    const { connect } = await import("../kubernetes/connect.ts");
    const { api, namespace: ownNamespace } = connect(this.#kubeconfig());
    return { api, namespace: namespace ?? ownNamespace, name, uid, secretPaths, signal };
  }
}
