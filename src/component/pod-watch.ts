import { type Clock, within } from "../core/clock.ts";
import { interrupted, UserError } from "../core/errors.ts";
import type { ObjectNames } from "../core/names.ts";
import type { Slot } from "../core/slots.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { observeSlotAt } from "../slots/observe-slot.ts";
import { podEvidence } from "../slots/pod-evidence.ts";
import { untilWritten, waitReady } from "../slots/wait-ready.ts";

export interface PodWatchOptions {
  readonly names: ObjectNames;
  readonly say: (message: string) => Promise<void>;
  /** @default the system's, which keeps no program alive */
  readonly clock?: Clock;
  /** @default a little less than what Pulumi's provider waits */
  readonly deadlineMs?: number;
}

/**
 * Looks at the pods of a slot while Pulumi's provider waits for its Deployment, and says why they are not ready: as soon as nothing in the
 * cluster can mend it, else before the provider gives up. The provider itself cannot be told; whoever reads it can stop the run. Nothing
 * of this ever fails an update.
 */
export class PodWatch {
  readonly #options: PodWatchOptions;
  readonly #ends = new Map<Slot, AbortController>();

  constructor(options: PodWatchOptions) {
    this.#options = options;
  }

  /** Before the Deployment of a slot is written. */
  async begin(
    slot: Slot,
    connected: () => Promise<{ api: KubernetesApi; namespace: string }>,
  ): Promise<void> {
    this.end(slot);
    const end = new AbortController();
    this.#ends.set(slot, end);
    const { signal } = end;
    const { names, clock = idleClock, deadlineMs = 570_000 } = this.#options;
    try {
      const cluster = await within({ clock, signal }, patienceMs, connected());
      if (cluster === undefined) return;
      const { api, namespace } = cluster;
      const observe = () => observeSlotAt({ api, namespace, names, signal }, slot);
      const found = await within({ clock, signal }, patienceMs, observe());
      if (found === undefined) return;
      const { deployment: before } = found;
      const wait = async () => {
        await untilWritten({ observe, clock, signal }, before);
        await waitReady({
          observe,
          evidence: (problem) => podEvidence(api, namespace, problem, signal),
          deadlineMs,
          refusedBefore: { id: before?.refused?.id },
          // Whether one comes is not looked for here.
          nodesMayCome: async () => true,
          clock,
          signal,
          progress: () => undefined,
        });
      };
      wait().catch((error: unknown) => this.#tell(error, signal));
    } catch {
      // What cannot be looked at is not told.
    }
  }

  /** Once it is ready, or written without being waited for. */
  end(slot: Slot): void {
    this.#ends.get(slot)?.abort();
    this.#ends.delete(slot);
  }

  #tell(error: unknown, { aborted }: AbortSignal): void {
    if (aborted || !(error instanceof UserError) || error.code !== "slot-not-ready") return;
    const message = `${error.message}\nPulumi waits on until its own time is over; stopped, the next \`pulumi up\` goes on from here.`;
    this.#options.say(message).catch(() => undefined);
  }
}

/** What is only told holds no write up for longer. */
const patienceMs = 2_000;

/** A program may end whatever is still watched. */
const idleClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => reject(interrupted("A wait"));
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop, { once: true });
      setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms).unref();
    }),
};
