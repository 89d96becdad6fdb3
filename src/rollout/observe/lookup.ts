import { type Clock, systemClock } from "../../core/clock.ts";

/** What cannot be stopped, for so long at the most. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock = systemClock): Promise<T> {
  const ended = new AbortController();
  const late = clock.sleep(ms, ended.signal).then(
    () => Promise.reject(new Error(`the name service does not answer within ${ms / 1000} s`)),
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}
