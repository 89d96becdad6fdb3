import { interrupted } from "../core/errors.ts";
import type { Progress } from "./source.ts";

export interface Caller {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

interface Running<T> {
  readonly promise: Promise<T>;
  readonly callers: Set<Caller>;
  readonly controller: AbortController;
  last: Parameters<Progress>[0] | undefined;
}

/**
 * Runs work once for all who ask for the same key at the same time. Everyone gets its progress. Someone who aborts leaves
 * at once while others still wait; the work itself is aborted when the last one has left.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  async run(key: string, caller: Caller, work: (shared: Caller) => Promise<T>): Promise<T> {
    if (caller.signal.aborted) throw interrupted(`Obtaining ${key}`);
    const running = this.#join(key, work);
    running.callers.add(caller);
    if (running.last !== undefined) caller.progress(running.last);
    const leave = () => running.callers.delete(caller);
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        leave();
        if (running.callers.size > 0) {
          reject(interrupted(`Obtaining ${key}`));
          return;
        }
        // The last one waits until the work has cleaned up: nobody else would.
        running.controller.abort();
        this.#forget(key, running);
      };
      caller.signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([running.promise, aborted]);
    } finally {
      caller.signal.removeEventListener("abort", onAbort);
      leave();
    }
  }

  #join(key: string, work: (shared: Caller) => Promise<T>): Running<T> {
    const existing = this.#running.get(key);
    if (existing !== undefined) return existing;
    const controller = new AbortController();
    const callers = new Set<Caller>();
    const progress: Progress = (update) => {
      running.last = update;
      for (const caller of callers) caller.progress(update);
    };
    const running: Running<T> = {
      callers,
      controller,
      last: undefined,
      promise: Promise.resolve().then(() => work({ signal: controller.signal, progress })),
    };
    this.#running.set(key, running);
    const done = () => this.#forget(key, running);
    running.promise.then(done, done);
    return running;
  }

  #forget(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
