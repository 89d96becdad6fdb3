import { UserError } from "../core/errors.ts";
import type { EngineObject } from "./engine-events.ts";

/** Resolves, each a line, with why a Deployment can't become ready, as soon as that is known; rejects when `signal` ends the look. */
export type UntilHopeless = (deployment: EngineObject, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Watches the Deployments that the provider waits for, and ends the run when one of them can't become ready any more: the provider
 * itself waits until its time is over, ten minutes by default.
 */
export class HopelessWaits {
  readonly #until: UntilHopeless;
  readonly #giveUp: () => void;
  readonly #watches = new Map<string, AbortController>();
  #hopeless: { readonly about: EngineObject; readonly lines: readonly string[] } | undefined;

  constructor(until: UntilHopeless, giveUp: () => void) {
    this.#until = until;
    this.#giveUp = giveUp;
  }

  /** The provider says that it waits for this: what was written is in the cluster now. */
  readonly begin = (about: EngineObject): void => {
    if (about.kind !== "Deployment" || this.#watches.has(about.urn)) return;
    const watch = new AbortController();
    this.#watches.set(about.urn, watch);
    this.#until(about, watch.signal)
      .then((lines) => {
        if (watch.signal.aborted) return;
        this.#hopeless ??= { about, lines };
        this.#giveUp();
      })
      // A look that fails says nothing of the pods: the provider goes on waiting.
      .catch(() => {});
  };

  readonly end = (urn: string): void => this.#watches.get(urn)?.abort();

  close(): void {
    for (const watch of this.#watches.values()) watch.abort();
  }

  /** Why the run was ended; `undefined`: not by this. */
  error(what: string): UserError | undefined {
    if (this.#hopeless === undefined) return undefined;
    const { about, lines } = this.#hopeless;
    const { urn, kind, name } = about;
    const message = lines.join("\n  ");
    return new UserError({
      code: "deployment-failed",
      message: `${what} was stopped: ${kind} ${name} can't become ready: ${message}`,
      hint: "What succeeded is saved in the state. Mend the cause and run the command again; it continues from there.",
      details: { resources: [{ urn, kind, name, message, unready: true }] },
    });
  }
}
