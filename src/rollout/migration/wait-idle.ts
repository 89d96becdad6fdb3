import { formatDuration } from "../../core/duration.ts";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { slots } from "../../core/slots.ts";
import type { CounterSource } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import type { CountedRollout } from "../release/counted-rollout.ts";
import { TrafficCounters } from "../release/counter-io.ts";
import { OwnRequests } from "../release/own-requests.ts";

export interface IdleOptions {
  /** For how long nothing may have come, milliseconds. */
  readonly idleMs: number;
  /** When it is given up, milliseconds. @default 24 hours */
  readonly deadlineMs?: number;
  /** Where replicas of the old controller show what they count. */
  readonly sources: readonly CounterSource[];
}

/** How it is known that nobody uses the old way any more. */
export type IdleEvidence =
  | { readonly kind: "counted"; readonly idleMs: number; readonly controller: string }
  /** Nothing counts: the time is over, and the name does not lead there any more. */
  | { readonly kind: "assumed"; readonly idleMs: number; readonly why: string }
  /** Somebody said so. */
  | { readonly kind: "said" };

const pollMs = 2_000;
const longestMs = 24 * 3_600_000;

/** One look: `busy` begins the time anew. */
type Look =
  | { readonly kind: "idle"; readonly by: "counters" | "name"; readonly detail: string }
  | { readonly kind: "busy"; readonly detail: string };

/**
 * Waits until the old way has had no request for a time: by the counters of its controller, where these can be read; else as long as the
 * name of the host leads there.
 * @throws UserError `still-used` (exit code 5)
 */
export async function waitIdle(
  context: RolloutContext,
  about: CountedRollout & {
    readonly host: string;
    readonly old: readonly Endpoint[] | undefined;
  },
  options: IdleOptions,
): Promise<IdleEvidence> {
  const { clock, events, signal } = context;
  const { idleMs, deadlineMs = longestMs, sources } = options;
  const counters = new CountersLook(context, about, sources);
  const deadline = clock.now() + deadlineMs;
  const title = `Wait until the old way has had no request for ${formatDuration(idleMs)}`;
  return await step(
    events,
    { id: "wait-idle", title },
    async (progress) => {
      let since = clock.now();
      let last: Look | undefined;
      for (;;) {
        const look =
          sources.length > 0 ? await counters.look() : await lookAtName(context, about.host, about.old);
        if (look.kind === "busy") since = clock.now();
        last = look;
        const idle = clock.now() - since;
        if (look.kind === "idle" && idle >= idleMs) {
          return look.by === "counters"
            ? { kind: "counted" as const, idleMs: idle, controller: counters.controller }
            : { kind: "assumed" as const, idleMs: idle, why: look.detail };
        }
        progress({ detail: `${look.detail}; quiet for ${formatDuration(idle)}` });
        if (clock.now() >= deadline) throw stillUsed(last.detail, deadlineMs);
        await clock.sleep(Math.min(pollMs, idleMs), signal);
      }
    },
    (evidence) =>
      evidence.kind === "counted"
        ? `${evidence.controller} counted none for ${formatDuration(evidence.idleMs)}`
        : `assumed after ${formatDuration(evidence.idleMs)}: ${evidence.why}`,
  );
}

function stillUsed(detail: string, deadlineMs: number): UserError {
  return new UserError({
    code: "still-used",
    message: `The old way was still used, or could not be looked at, after ${formatDuration(deadlineMs)}: ${detail}. Both serve; nothing was removed.`,
    hint: "Look which clients still connect there. `modelswitch migrate --wait-idle TIME` waits on, `modelswitch migrate --moved` ends the move all the same.",
    exitCode: exitCodes.held,
  });
}

/** Compares what the old controller has counted with what it had. */
class CountersLook {
  readonly #context: RolloutContext;
  readonly #about: CountedRollout;
  readonly #sources: readonly CounterSource[];
  readonly #counters: TrafficCounters;
  #before: { readonly era: string; readonly requests: number } | undefined;
  controller = "";

  constructor(context: RolloutContext, about: CountedRollout, sources: readonly CounterSource[]) {
    this.#context = context;
    this.#about = about;
    this.#sources = sources;
    this.#counters = new TrafficCounters(context, new OwnRequests(context.clock));
  }

  async look(): Promise<Look> {
    const read = await this.#counters.read(this.#about, 0, {
      sources: this.#sources,
      timeoutMs: 10_000,
      signal: this.#context.signal,
    });
    // What is not seen is not known to be quiet.
    if (read.kind === "unreadable") return { kind: "busy", detail: read.why };
    this.controller = read.controller;
    const requests = slots.reduce((sum, slot) => sum + read.slots[slot].requests, 0);
    const before = this.#before;
    this.#before = { era: read.era, requests };
    if (before === undefined) return { kind: "busy", detail: `${read.controller} counts` };
    const came = before.era === read.era ? requests - before.requests : undefined;
    if (came === 0) return { kind: "idle", by: "counters", detail: `${read.controller} counted no request` };
    return {
      kind: "busy",
      detail:
        came === undefined
          ? `${read.controller} was started again, and counts anew`
          : `${read.controller} counted ${came} more`,
    };
  }
}

/** Whether the name of the host still leads to the old way, as far as this machine sees. */
async function lookAtName(
  { lookup }: RolloutContext,
  host: string,
  old: readonly Endpoint[] | undefined,
): Promise<Look> {
  const idle = (detail: string): Look => ({ kind: "idle", by: "name", detail });
  if (old === undefined) return idle("nothing counts, and it is not known where the old way is");
  try {
    const found = await lookup(host);
    const led = found.filter(({ address }) => old.some((one) => one.address === address));
    return led.length > 0
      ? { kind: "busy", detail: `${host} still leads to ${led.map(({ address }) => address).join(", ")}` }
      : idle(`nothing counts, and ${host} does not lead there any more`);
  } catch (error) {
    return idle(`nothing counts, and ${host} cannot be resolved here (${messageOf(error)})`);
  }
}
