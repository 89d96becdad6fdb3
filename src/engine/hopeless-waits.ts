import { UserError } from "../core/errors.ts";
import type { EventSink } from "../core/events.ts";
import type { EngineObject } from "./engine-events.ts";

/** Asks the cluster about what is waited for. */
export interface Waits {
  /** Resolves, each a line, with why it can't become ready, as soon as that is known, or with `undefined` where that is never known; rejects when `signal` ends the look. */
  untilHopeless(about: EngineObject, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** What it lacks, after it has had some time, where the provider does not say that and somebody else may have to bring it; none: nothing. */
  lacks(about: EngineObject, signal: AbortSignal): Promise<readonly string[]>;
}

/**
 * Watches what the provider waits for, and ends the run when it can't become ready any more: the provider itself waits until its time is
 * over, ten minutes by default. What may yet come is waited for, but said, once.
 */
export class HopelessWaits {
  readonly #waits: Waits;
  readonly #events: EventSink;
  readonly #giveUp: () => void;
  readonly #watches = new Map<string, AbortController>();
  #hopeless: { readonly about: EngineObject; readonly lines: readonly string[] } | undefined;

  constructor(waits: Waits, options: { readonly events: EventSink; readonly giveUp: () => void }) {
    this.#waits = waits;
    this.#events = options.events;
    this.#giveUp = options.giveUp;
  }

  /** The provider says that it waits for this: what was written is in the cluster now. */
  readonly begin = (about: EngineObject): void => {
    if (this.#watches.has(about.urn)) return;
    const watch = new AbortController();
    this.#watches.set(about.urn, watch);
    this.#waits
      .untilHopeless(about, watch.signal)
      .then((lines) => {
        if (lines === undefined || watch.signal.aborted) return;
        this.#hopeless ??= { about, lines };
        this.#giveUp();
      })
      // A look that fails says nothing of the object: the provider goes on waiting.
      .catch(() => {});
    this.#waits
      .lacks(about, watch.signal)
      .then((lines) => {
        if (lines.length === 0 || watch.signal.aborted) return;
        this.#events({
          type: "warning",
          code: "still-waiting",
          message: `${about.kind} ${about.name} is waited for: ${lines.join("\n  ")}`,
          hint: 'It is waited for until the provider\'s time for it is over. Where nothing of the kind will come, say so with the annotation pulumi.com/skipAwait: "true".',
        });
      })
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
    const cannot = kind === "Job" ? "can't come to its end" : "can't become ready";
    return new UserError({
      code: "deployment-failed",
      message: `${what} was stopped: ${kind} ${name} ${cannot}: ${message}`,
      hint: "What succeeded is saved in the state. Mend the cause and run the command again; it continues from there.",
      details: { resources: [{ urn, kind, name, message, unready: true }] },
    });
  }
}
