import { randomUUID } from "node:crypto";
import type { ResolvedRollout } from "../../config/rollout/rollout-types.ts";
import { leadsToModel } from "../../core/identity-path.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { type CountedSlot, nothingCounted, nothingSent } from "../../core/statistics/counted.ts";
import type { CountersOutcome, IngressOutcome, IngressRequest } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { type CountedRollout, longestRequestMs, stepsOf } from "./counted-rollout.ts";

/** Sends a request to a slot through the ingress, whatever share of clients' requests it has. */
export type AskSlot = (slot: Slot, request: IngressRequest) => Promise<IngressOutcome>;

/** Seconds that answers are counted by. */
const bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, Number.POSITIVE_INFINITY] as const;
/** One a second to the live slot, so that it does not notice; as many to the new one. */
const everyMs = 1_000;
/** Of a longer pause no more are sent than of this one. */
const mostAtOnce = 10;

/**
 * Requests of this product itself to both slots, where nobody counts those of clients: a real one has to be known (`rollout.warmUp`), and the
 * router has to lead it to either slot. They see what is plainly broken or slow, and no more.
 */
export class OwnProbes {
  readonly #context: RolloutContext;
  readonly #ask: AskSlot;
  #counted: Readonly<Record<Slot, CountedSlot>> = { blue: nothingCounted, green: nothingCounted };
  #last: number | undefined;
  /** Another command's are others. */
  readonly #era = `own ${randomUUID()}`;

  constructor(context: RolloutContext, ask: AskSlot) {
    this.#context = context;
    this.#ask = ask;
  }

  /** `why`: nobody else counts. `undefined`: nothing can be sent. */
  async read(
    { record, routing }: CountedRollout,
    why: string,
    signal: AbortSignal,
  ): Promise<CountersOutcome | undefined> {
    const { warmUp } = this.#context.config.rollout;
    const { router } = locationOf(this.#context, record);
    const { ingress } = record.settings;
    const isGrpc = ingress.protocol === "grpc" || ingress.protocol === "grpcs";
    const isLed = router.capabilities.header && router.force(routing, "main") !== undefined;
    if (warmUp === undefined || isGrpc || !isLed || !leadsToModel(ingress, warmUp.path)) return undefined;
    const now = this.#context.clock.now();
    const due = this.#last === undefined ? 1 : Math.min(mostAtOnce, Math.floor((now - this.#last) / everyMs));
    this.#last = now;
    for (let sent = 0; sent < due; sent++) {
      const [blue, green] = await Promise.all(slots.map((slot) => this.#send(slot, warmUp, signal)));
      // One that nobody answered, or that a limit answered, says nothing of either slot.
      if (blue === undefined || green === undefined) {
        return { kind: "unreadable", why: `${why}; own requests do not reach both slots` };
      }
      this.#counted = { blue: added(this.#counted.blue, blue), green: added(this.#counted.green, green) };
    }
    return {
      kind: "read",
      atMs: this.#context.clock.now(),
      controller: "modelswitch, by requests of its own,",
      where: `${warmUp.method} ${warmUp.path}`,
      slots: this.#counted,
      own: { blue: nothingSent, green: nothingSent },
      era: this.#era,
      isDisturbed: false,
      share: 0.5,
      isShareChecked: false,
      longestRequestMs: longestRequestMs(record),
      steps: stepsOf(record),
    };
  }

  async #send(
    slot: Slot,
    { method, path, body }: NonNullable<ResolvedRollout["warmUp"]>,
    signal: AbortSignal,
  ): Promise<{ readonly isError: boolean; readonly seconds: number } | undefined> {
    const startedAt = this.#context.clock.now();
    const outcome = await this.#ask(slot, {
      route: "release",
      method,
      path,
      headers: {},
      body: body === undefined ? undefined : JSON.stringify(body),
      insecure: false,
      timeoutMs: 30_000,
      signal,
    });
    switch (outcome.kind) {
      case "unreachable":
        return undefined;
      case "broken":
        return { isError: true, seconds: (this.#context.clock.now() - startedAt) / 1000 };
      case "answer": {
        if (outcome.answer.limit !== undefined) return undefined;
        return { isError: outcome.answer.status >= 500, seconds: outcome.latencyMs / 1000 };
      }
    }
  }
}

function added(
  { requests, errors, latencies }: CountedSlot,
  one: { readonly isError: boolean; readonly seconds: number },
): CountedSlot {
  return {
    requests: requests + 1,
    errors: errors + (one.isError ? 1 : 0),
    latencies: {
      bounds,
      counts: bounds.map((bound, index) => (latencies.counts[index] ?? 0) + (one.seconds <= bound ? 1 : 0)),
    },
  };
}
