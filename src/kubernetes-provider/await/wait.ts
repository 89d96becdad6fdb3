import { KubernetesApiError, type WatchEvent } from "../../kubernetes/api.ts";
import { messageWithHint } from "../errors.ts";
import type { Session } from "../session.ts";

/** What an observation says about readiness. */
export type Verdict =
  | { readonly state: "ready"; readonly note?: string }
  | {
      readonly state: "waiting";
      readonly reasons: readonly string[];
      /** Something is wrong that may still mend itself; unlike work that is merely going on. */
      readonly trouble?: boolean;
    }
  | { readonly state: "failed"; readonly reasons: readonly string[] };

export interface Look<T> {
  readonly value: T;
  readonly verdict: Verdict;
}

export interface Wait<T> {
  readonly urn: string;
  readonly timeoutMs: number;
  /** Objects whose changes are a reason to look again at once. */
  readonly watch: readonly {
    readonly path: string;
    readonly name?: string;
    readonly labelSelector?: string;
  }[];
  look(): Promise<Look<T>>;
}

export interface Outcome<T> {
  readonly value: T;
  readonly verdict: Exclude<Verdict, { state: "waiting" }>;
}

/** A watch may miss something or end; so every wait also looks this often. */
const lookEveryMs = 1000;

/**
 * Looks until the verdict is final, the time is up or the operation is cancelled; tells the user what it waits for.
 * An API server that does not answer for a while is waited for as well.
 */
export async function waitUntil<T>(session: Session, wait: Wait<T>): Promise<Outcome<T>> {
  const { clock, log } = session;
  const deadline = clock.now() + wait.timeoutMs;
  const changes = new Changes(session, wait.watch);
  let last: Look<T> | undefined;
  try {
    for (;;) {
      let reasons: readonly string[];
      try {
        last = await wait.look();
        if (last.verdict.state !== "waiting") {
          log.status("info", wait.urn, "");
          return { value: last.value, verdict: last.verdict };
        }
        reasons = last.verdict.reasons;
      } catch (error) {
        // Nobody gets a permission by waiting for it.
        const isFinal = error instanceof KubernetesApiError && error.status === 403;
        if (isFinal || session.signal.aborted || last === undefined || clock.now() >= deadline) throw error;
        reasons = [`Cannot look at the cluster: ${messageWithHint(error)}`];
      }
      log.status("info", wait.urn, reasons.join("; "));
      if (clock.now() >= deadline) {
        return failed(last.value, `Not ready within ${duration(wait.timeoutMs)}`, reasons);
      }
      await changes.next(Math.min(lookEveryMs, deadline - clock.now()));
    }
  } catch (error) {
    if (!session.signal.aborted || last === undefined) throw error;
    const reasons = last.verdict.state === "waiting" ? last.verdict.reasons : [];
    return failed(last.value, "The wait was interrupted", reasons);
  } finally {
    changes.close();
  }
}

function failed<T>(value: T, headline: string, reasons: readonly string[]): Outcome<T> {
  return { value, verdict: { state: "failed", reasons: [headline, ...reasons] } };
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds >= 120 && seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} s`;
}

/** Wakes a wait when one of the watched objects changes. */
class Changes {
  readonly #session: Session;
  readonly #stop = new AbortController();
  #wake: () => void = () => {};
  #changed = false;

  constructor(session: Session, watch: Wait<unknown>["watch"]) {
    this.#session = session;
    for (const { path, name, labelSelector } of watch) {
      const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
      void this.#follow(path, { fieldSelector, labelSelector });
    }
  }

  async #follow(path: string, query: Readonly<Record<string, string | undefined>>): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#session.signal]);
    try {
      const events: AsyncIterable<WatchEvent> = this.#session.client.api.watch(path, { query, signal });
      for await (const event of events) {
        if (event.type === "BOOKMARK" || event.type === "ERROR") continue;
        this.#changed = true;
        this.#wake();
      }
    } catch {
      // The regular looks go on without the watch.
    }
  }

  /** Resolves at the next change, and after `ms` at the latest. */
  async next(ms: number): Promise<void> {
    if (!this.#changed) {
      const wake = new AbortController();
      this.#wake = () => wake.abort();
      const signal = AbortSignal.any([wake.signal, this.#session.signal]);
      await this.#session.clock.sleep(ms, signal).catch((error: unknown) => {
        if (!wake.signal.aborted) throw error;
      });
      this.#wake = () => {};
    }
    this.#changed = false;
  }

  close(): void {
    this.#stop.abort();
  }
}
