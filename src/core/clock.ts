import { interrupted } from "./errors.ts";

/** Time, passed in so that tests run hours in a millisecond. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the `interrupted` error when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(interrupted("A wait"));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(interrupted("A wait"));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

/** What comes within a time, and before a stop; `undefined`: it did not. What comes later has nobody left to hear it. */
export async function within<T>(
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
  ms: number,
  work: Promise<T>,
): Promise<T | undefined> {
  const done = new AbortController();
  const either = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const late = clock.sleep(ms, either).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    work.catch(() => undefined);
  }
}
