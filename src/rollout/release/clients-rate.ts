import type { Slot } from "../../core/slots.ts";
import type { CountersOutcome } from "../../gates/io.ts";

type Read = Extract<CountersOutcome, { kind: "read" }>;

/** Below this a rate says little. */
const shortestMs = 3_000;

/** How many requests a second clients send to a slot, from one look at the counters to the next: what is sent beside them is not theirs. */
export class ClientsRate {
  #last: Read | undefined;
  #rate: number | undefined;

  /** `undefined`: not known yet, or nobody counts. */
  see(read: CountersOutcome, slot: Slot): number | undefined {
    if (read.kind === "unreadable") {
      this.#last = undefined;
      this.#rate = undefined;
      return undefined;
    }
    const last = this.#last;
    // What began anew is no continuation.
    if (last === undefined || last.era !== read.era) {
      this.#last = read;
      return this.#rate;
    }
    const ms = read.atMs - last.atMs;
    if (ms < shortestMs) return this.#rate;
    this.#last = read;
    const clients = ({ slots, own }: Read) => slots[slot].requests - own[slot].requests;
    const more = clients(read) - clients(last);
    this.#rate = more < 0 ? undefined : (more * 1000) / ms;
    return this.#rate;
  }
}
