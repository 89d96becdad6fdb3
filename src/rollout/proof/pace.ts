import type { Clock } from "../../core/clock.ts";

/** Requests at the same time, over all addresses, hosts and views. */
const mostTogether = 8;
/** So many requests in a row are sent as fast as they are answered; an ordinary proof has fewer. */
const burst = 120;
/** Milliseconds between two requests after that. */
const steadyMs = 5;
/** Milliseconds between two requests once the ingress has limited one. */
const firstLimitedMs = 250;
const longestLimitedMs = 5_000;

/**
 * How fast a proof asks. Once somebody limits it, it asks one at a time and ever more slowly, until it gets answers again: it must not be
 * what uses up the share of those who ask beside it.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #queue: Promise<unknown> = Promise.resolve();
  #active = 0;
  #wake: (() => void) | undefined;
  #sent = 0;
  #last = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  /** `undefined`: nothing was limited yet. */
  #limitedMs: number | undefined;
  #limits = 0;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Waits until one more request may be sent, and says with which `ticket`; whoever was let go calls `done`. `undefined`: that would be
   * later than `until`.
   */
  async turn(until: number): Promise<number | undefined> {
    // One after the other: whoever is first in line waits for all.
    const mine = this.#queue.then(() => this.#admit(until));
    this.#queue = mine.catch(() => undefined);
    return await mine;
  }

  async #admit(until: number): Promise<number | undefined> {
    for (;;) {
      const most = this.#limitedMs === undefined ? mostTogether : 1;
      if (this.#active >= most) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const at = Math.max(this.#notBefore, this.#last + this.#spaceMs());
      const now = this.#clock.now();
      if (at >= until && at > now) return undefined;
      if (at <= now) {
        this.#active += 1;
        this.#sent += 1;
        this.#last = now;
        return this.#limits;
      }
      await this.#clock.sleep(at - now, this.#signal);
    }
  }

  #spaceMs(): number {
    return this.#limitedMs ?? (this.#sent < burst ? 0 : steadyMs);
  }

  /** What came of a request. */
  done(
    ticket: number,
    outcome: { readonly limited: boolean; readonly retryAfterMs?: number | undefined },
  ): void {
    this.#active -= 1;
    if (outcome.limited) this.#slowDown(ticket, outcome.retryAfterMs ?? 0);
    else if (this.#limitedMs !== undefined) this.#limitedMs = Math.max(steadyMs, this.#limitedMs * 0.8);
    this.#wake?.();
    this.#wake = undefined;
  }

  #slowDown(ticket: number, retryAfterMs: number): void {
    // What was sent before the last slow-down says no more than that did.
    if (ticket === this.#limits) {
      this.#limits += 1;
      const doubled = this.#limitedMs === undefined ? firstLimitedMs : this.#limitedMs * 2;
      this.#limitedMs = Math.min(longestLimitedMs, Math.max(firstLimitedMs, doubled));
    }
    const wait = Math.max(retryAfterMs, this.#limitedMs ?? 0);
    this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + wait);
  }
}
