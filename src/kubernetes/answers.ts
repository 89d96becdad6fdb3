import type { Clock } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { UserError } from "../core/errors.ts";
import type { EventSink } from "../core/events.ts";
import { type KubernetesApi, KubernetesApiError } from "./api.ts";
import { helperFailure, isDenial } from "./helpers-down.ts";

/** How long the API server may leave everything unanswered before people are told, milliseconds. */
export const patienceMs = 5_000;

/** Whether a status says nothing but that the API server cannot serve now. Pure. */
function isUnable(status: number): boolean {
  return status >= 500 || status === 429;
}

/** Whether it answers for somebody else whom it asked: a webhook that is down, or refuses, is no outage of the API server. Pure. */
function isOfAnother(said: string): boolean {
  return helperFailure(said) !== undefined || isDenial(said);
}

/** Whether an error says nothing but that the API server gave no answer, or could not serve. Pure. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof KubernetesApiError) return isUnable(error.status) && !isOfAnother(error.message);
  return error instanceof UserError && error.code === "cluster-unreachable";
}

/** What became of a request; `given-up`: nobody waited for its answer. */
type Outcome = "answered" | "unanswered" | "given-up";

/**
 * Tells people that the API server has stopped answering, once, and that it answers again. What it passes on to pods
 * (`…/proxy/…`) says nothing of it: they take their time, and fail, by themselves.
 */
export class Answers {
  readonly #server: string;
  readonly #clock: Clock;
  #events: EventSink;
  #pending = 0;
  /** Since when nothing that was asked has been answered; `undefined`: nothing waits for an answer. */
  #since: number | undefined;
  #isTold = false;
  #timesAway = 0;
  #alarm: AbortController | undefined;

  constructor(about: { readonly server: string; readonly clock: Clock; readonly events: EventSink }) {
    this.#server = about.server;
    this.#clock = about.clock;
    this.#events = about.events;
  }

  /** From here on people are told there. */
  tellTo(events: EventSink): void {
    this.#events = events;
  }

  /** Whether the API server has been away since the command began: whoever watches it may still be behind. */
  get wasAway(): boolean {
    return this.#timesAway > 0;
  }

  /** How often people were told that it is away. */
  get timesAway(): number {
    return this.#timesAway;
  }

  /** Tells that the API server is away, unless that was told. */
  away(message: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#timesAway += 1;
    this.#since ??= this.#clock.now();
    this.#events({ type: "warning", code: "cluster-away", message });
  }

  /** The same API, whose answers are watched for. */
  watching(api: KubernetesApi): KubernetesApi {
    const always = (): Outcome => "answered";
    return {
      server: api.server,
      request: (request) =>
        this.#ask(request.path, api.request(request), ({ status, body }) =>
          isUnable(status) && !isOfAnother(body.replaceAll('\\"', '"')) ? "unanswered" : "answered",
        ),
      json: (request) => this.#ask(request.path, api.json(request), always),
      find: (path, options) => this.#ask(path, api.find(path, options), always),
      watch: (path, options) => api.watch(path, options),
    };
  }

  async #ask<T>(path: string, sent: Promise<T>, outcomeOf: (result: T) => Outcome): Promise<T> {
    if (path.includes("/proxy/")) return await sent;
    this.#begin();
    try {
      const result = await sent;
      this.#end(outcomeOf(result));
      return result;
    } catch (error) {
      const isRefusal = error instanceof KubernetesApiError;
      this.#end(isUnanswered(error) ? "unanswered" : isRefusal ? "answered" : "given-up");
      throw error;
    }
  }

  #begin(): void {
    this.#pending += 1;
    if (this.#since !== undefined) return;
    this.#since = this.#clock.now();
    this.#setAlarm();
  }

  #end(outcome: Outcome): void {
    this.#pending -= 1;
    const now = this.#clock.now();
    const silentMs = now - (this.#since ?? now);
    if (outcome === "answered") {
      if (this.#isTold) this.#tellBack(silentMs);
      this.#isTold = false;
      // It was there at that moment; what still waits, waits from then on.
      this.#since = now;
    } else if (outcome === "unanswered" && silentMs >= patienceMs) this.#tellSilence();
    if (this.#pending === 0 && !this.#isTold) this.#since = undefined;
    if (outcome === "answered" || this.#since === undefined) this.#setAlarm();
  }

  /** Tells in time, unless an answer comes before, or nobody waits for one any more. */
  #setAlarm(): void {
    this.#alarm?.abort();
    if (this.#since === undefined) return;
    this.#alarm = new AbortController();
    this.#clock.sleep(patienceMs, this.#alarm.signal).then(
      () => this.#tellSilence(),
      () => undefined,
    );
  }

  #tellSilence(): void {
    this.away(
      `The API server at ${this.#server} has not answered for ${patienceMs / 1000} s, and is waited for; clients are served without it.`,
    );
  }

  #tellBack(awayMs: number): void {
    this.#events({
      type: "info",
      code: "cluster-back",
      message: `The API server answers again, after ${formatDuration(awayMs)}.`,
      durationMs: awayMs,
    });
  }
}
