import { firstLine, isNotNow } from "../calls/attempt.ts";
import type { CallIo } from "../calls/io.ts";
import { messageHeaders, secretProblem, signedHeaders } from "../calls/signature.ts";
import { within } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { EventSink } from "../core/events.ts";
import type { Notice, NotificationTarget } from "../core/notices.ts";
import { callUrlProblem, placeOf } from "../core/urls.ts";
import { genericBody, noticeId, slackBody } from "./message.ts";

/** Tells people. Nothing of it ever holds, or fails, a rollout. */
export interface Notifier {
  /** Queues a notice for everybody who wants to know. Never throws, never waits. */
  notify(notice: Notice): void;
  /** Waits until everything is told, at the most so many milliseconds; the rest is dropped. Never throws. */
  flush(deadlineMs: number): Promise<void>;
}

export interface NotifierOptions {
  readonly targets: readonly NotificationTarget[];
  readonly io: Pick<CallIo, "clock" | "send" | "env">;
  /** Gets a warning for each target that cannot be told, once. */
  readonly events: EventSink;
}

/** Notices that wait for one target, at the most: what comes later is dropped. */
const longestQueue = 100;
const sendMs = 5_000;
const retryMs = 1_000;

export function openNotifier({ targets, io, events }: NotifierOptions): Notifier {
  const stop = new AbortController();
  const lanes = targets.map((target) => new Lane(target, io, events, stop.signal));
  return {
    notify(notice) {
      for (const lane of lanes) lane.add(notice);
    },
    async flush(deadlineMs) {
      await within(io, deadlineMs, Promise.all(lanes.map((lane) => lane.idle())));
      if (lanes.every((lane) => lane.isIdle)) return;
      stop.abort();
      await Promise.all(lanes.map((lane) => lane.idle()));
    },
  };
}

/** One target, told one thing after the other. */
class Lane {
  readonly #target: NotificationTarget;
  readonly #io: NotifierOptions["io"];
  readonly #events: EventSink;
  readonly #signal: AbortSignal;
  #queue: Message[] = [];
  #working: Promise<void> | undefined;
  #hasWarned = false;

  constructor(target: NotificationTarget, io: NotifierOptions["io"], events: EventSink, signal: AbortSignal) {
    this.#target = target;
    this.#io = io;
    this.#events = events;
    this.#signal = signal;
  }

  get isIdle(): boolean {
    return this.#working === undefined;
  }

  async idle(): Promise<void> {
    await this.#working;
  }

  add(notice: Notice): void {
    if (!this.#target.on.includes(notice.kind)) return;
    if (this.#queue.length >= longestQueue) {
      this.#warn({
        code: "notification-failed",
        why: `${longestQueue} notifications wait already, so that one is left out`,
      });
      return;
    }
    const now = this.#io.clock.now();
    this.#queue.push(
      this.#target.format === "slack"
        ? { id: noticeId(notice), body: slackBody(notice) }
        : genericBody(notice, now),
    );
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    // Whoever notifies goes on first.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        await this.#tell(next);
      } catch (error) {
        this.#warn({
          code: "notification-failed",
          why: messageOf(error),
        });
      }
    }
  }

  async #tell({ id, body }: Message): Promise<void> {
    const { url: place, format, secretEnv, insecure } = this.#target;
    const url = place.kind === "url" ? place.url : this.#io.env[place.name];
    if (url === undefined || url === "") {
      this.#warn({ code: "notification-unset", why: "the variable is not set" });
      return;
    }
    const problem = callUrlProblem(url, insecure);
    if (problem !== undefined) throw new Error(`the address ${problem}`);
    const secret = secretEnv === undefined ? undefined : this.#io.env[secretEnv];
    const wrongKey = secretEnv === undefined ? undefined : secretProblem(secret);
    if (wrongKey !== undefined) {
      this.#warn({ code: "notification-unset", why: `its key, the variable ${secretEnv}, ${wrongKey}` });
      return;
    }
    const attempt = async () => {
      const at = this.#io.clock.now();
      const headers =
        secret === undefined ? messageHeaders({ id, at }) : signedHeaders({ id, at, body }, secret);
      return await this.#attempt(url, format === "slack" ? {} : headers, body);
    };
    const first = await attempt();
    if (first.kind === "told") return;
    if (first.kind === "refused") throw new Error(first.why);
    await this.#io.clock.sleep(retryMs, this.#signal);
    const second = await attempt();
    if (second.kind !== "told") throw new Error(second.why);
  }

  async #attempt(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Told> {
    try {
      const answer = await this.#io.send({ url, headers, body, timeoutMs: sendMs, signal: this.#signal });
      if (answer.status >= 200 && answer.status <= 299) return { kind: "told" };
      const words = firstLine(answer.body, 100);
      const why = `it answers HTTP ${answer.status}${words === "" ? "" : `: ${words}`}`;
      return { kind: isNotNow(answer.status) ? "not-now" : "refused", why };
    } catch (error) {
      if (this.#signal.aborted) return { kind: "refused", why: "there was no time left" };
      return { kind: "not-now", why: messageOf(error) };
    }
  }

  #warn({
    code,
    why,
  }: {
    readonly code: "notification-failed" | "notification-unset";
    readonly why: string;
  }): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#events({
      type: "warning",
      code,
      message: `A notification was not delivered to ${this.#name()}: ${why}. The rollout goes on.`,
    });
  }

  /** Where it leads, without what may be secret in it. */
  #name(): string {
    const { url } = this.#target;
    return url.kind === "env" ? `the address in ${url.name}` : placeOf(url.url);
  }
}

interface Message {
  readonly id: string;
  readonly body: string;
}

type Told =
  | { readonly kind: "told" }
  | { readonly kind: "not-now"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };
