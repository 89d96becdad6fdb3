import type { Clock } from "../../core/clock.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { OwnSent } from "../../core/statistics/counted.ts";

interface Sent {
  readonly slot: Slot;
  readonly isError: boolean;
  readonly from: number;
  readonly to: number;
}

/** How long a reading of counters waits for an own request to end. */
const longestPauseMs = 2_000;
const pauseMs = 50;

/** What was sent to each slot through the ingress by this command itself. */
export class OwnRequests {
  readonly #clock: Clock;
  readonly #sent: Sent[] = [];
  readonly #underWay = new Map<symbol, number>();
  /** Changes whenever something was sent of which is not known to which slot it went, or what became of it. */
  #unknown = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request. `slot`: where it is led; `undefined`: where clients' requests go. */
  async counting<T>(
    slot: Slot | undefined,
    send: () => Promise<T>,
    isError: (answer: T) => boolean,
  ): Promise<T> {
    const key = Symbol("request");
    const from = this.#clock.now();
    this.#underWay.set(key, from);
    try {
      const answer = await send();
      if (slot === undefined) this.#unknown += 1;
      else this.#sent.push({ slot, isError: isError(answer), from, to: this.#clock.now() });
      return answer;
    } catch (error) {
      this.#unknown += 1;
      throw error;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** By then; without: by now. */
  sentBy(atMs = Number.POSITIVE_INFINITY): Readonly<Record<Slot, OwnSent>> {
    const of = (slot: Slot): OwnSent => {
      const own = this.#sent.filter((one) => one.slot === slot && one.to <= atMs);
      return {
        requests: own.length,
        errors: own.filter(({ isError }) => isError).length,
        seconds: own.map(({ from, to }) => (to - from) / 1000),
      };
    };
    return Object.fromEntries(slots.map((slot) => [slot, of(slot)])) as Record<Slot, OwnSent>;
  }

  /** How many have ended by now. */
  get ended(): number {
    return this.#sent.length + this.#unknown;
  }

  get isUnderWay(): boolean {
    return this.#underWay.size > 0;
  }

  /** Whether one was under way then: nobody knows whether it was counted by then. */
  wasUnderWay(atMs: number): boolean {
    return (
      [...this.#underWay.values()].some((from) => from <= atMs) ||
      this.#sent.some(({ from, to }) => from <= atMs && atMs < to)
    );
  }

  get unknown(): number {
    return this.#unknown;
  }

  /** Waits until none is under way, for a moment at the most. */
  async pause(signal: AbortSignal): Promise<void> {
    for (let waited = 0; this.isUnderWay && waited < longestPauseMs; waited += pauseMs) {
      await this.#clock.sleep(pauseMs, signal);
    }
  }
}
